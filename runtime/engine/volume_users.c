/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/volume_users.h"
#include "runtime/engine/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/engine/id.h"

static int is_alive(void *data, const char *user)
{
	const int *containers_fd = data;

	if (*containers_fd < 0 || !id_is_valid(user))
		return 0;
	if (faccessat(*containers_fd, user, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

struct volume_judge volume_users_judge(const int *containers_fd)
{
	return (struct volume_judge){ .is_alive = is_alive, .data = (void *)containers_fd };
}

void volume_users_release(const char *root, const char *runroot, const int *containers_fd,
			  const struct meta *meta, bool remove)
{
	struct volume_judge judge = volume_users_judge(containers_fd);

	for (size_t i = 0; i < meta->mounts_count; i++) {
		const struct engine_mount *m = &meta->mounts[i];
		struct err err = { 0 };
		int r;

		if (m->type != ENGINE_MOUNT_VOLUME)
			continue;
		r = volume_drop_user(root, m->source, meta->id, &err);
		if (r == 0 && m->anonymous && remove)
			r = volume_remove(root, m->source, &judge, &err);
		if (r == 0 && m->anonymous && remove)
			event_tell_volume(runroot, "destroy", m->source);
		/* Another container may have taken it over. */
		if (r < 0 && r != -ENOENT && r != -EBUSY)
			log_warn("%s", err.text);
	}
}
