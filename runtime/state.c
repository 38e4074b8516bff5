/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a container, derived and never stored, and the state document. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/container_struct.h"
#include "runtime/folder.h"

bool container_is_alive(const struct container *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return c->pidfd >= 0 && poll(&p, 1, 0) == 0;
}

/*
 * The fifo stands until its reader takes it away. A starter that was killed just before leaves it
 * behind; then init's program tells: before the start it is cellar-init in its memfd.
 */
static bool is_waiting_for_start(const struct container *c)
{
	return c->record.exec_fifo && faccessat(c->dirfd, FOLDER_FIFO, F_OK, AT_EACCESS) == 0 &&
	       !container_is_started(c);
}

bool container_is_started(const struct container *c)
{
	char path[64], exe[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", c->record.pid);
	n = readlink(path, exe, sizeof(exe));
	return n >= 0 && (n <= 7 || memcmp(exe, "/memfd:", 7) != 0);
}

enum oci_status container_status(struct container *c)
{
	struct cgroup *cgroup;

	if (!c->record.ready)
		return folder_is_busy(c->dirfd) ? OCI_CREATING : OCI_STOPPED;
	if (!container_is_alive(c))
		return OCI_STOPPED;
	if (container_load_cgroup(c, &cgroup, NULL) == 0 && cgroup_is_frozen(cgroup) > 0)
		return OCI_PAUSED;
	return is_waiting_for_start(c) ? OCI_CREATED : OCI_RUNNING;
}

/* The name of who made the container, "#1000" where passwd has none. Reads the file itself: a
 * static program has no name service. */
static const char *find_owner(const struct container *c)
{
	_cleanup_file_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd *entry;
	struct stat st;

	if (fstat(c->dirfd, &st) < 0)
		return NULL;
	while (f && (entry = fgetpwent(f)))
		if (entry->pw_uid == st.st_uid)
			return arena_strdup(c->arena, entry->pw_name);
	return arena_printf(c->arena, "#%u", st.st_uid);
}

static int format(const struct container *c, enum oci_status status, const char *owner, bool pretty,
		  char **ret, size_t *ret_len, struct err *err)
{
	struct oci_state state = {
		.oci_version = c->record.oci_version,
		.id = c->id,
		.status = status,
		.pid = c->record.pid,
		.bundle = c->record.bundle ? c->record.bundle : "",
		.rootfs = c->record.rootfs,
		.created = c->record.created,
		.owner = owner,
		.annotations = c->record.annotations,
		.annotations_count = c->record.annotations_count,
	};

	return oci_state_format(&state, pretty, ret, ret_len, err);
}

int container_state_as(const struct container *c, enum oci_status status, bool pretty, char **ret,
		       size_t *ret_len, struct err *err)
{
	return format(c, status, NULL, pretty, ret, ret_len, err);
}

int container_state(struct container *c, bool pretty, char **ret, struct err *err)
{
	size_t len;

	return format(c, container_status(c), find_owner(c), pretty, ret, &len, err);
}
