/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/host_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000
#endif
#define MOUNTINFO_LIMIT (64 << 20)

/* Line of proc(5)'s mountinfo with this id, cut at its end; NULL where it is none of ours. */
static char *find_line(char *text, uint64_t id)
{
	char want[32], *line = text;
	size_t len = (size_t)snprintf(want, sizeof(want), "%" PRIu64 " ", id);

	while (*line) {
		char *end = line + strcspn(line, "\n");

		if (strncmp(line, want, len) == 0) {
			*end = '\0';
			return line;
		}
		line = *end ? end + 1 : end;
	}
	return NULL;
}

/* The optional fields stand between the sixth field and " - ". */
static bool has_field(const char *line, const char *field)
{
	const char *end = strstr(line, " - "), *at = strstr(line, field);

	return end && at && at < end;
}

int host_mount_check(const char *path, const char *propagation, struct err *err)
{
	bool shared = strstr(propagation, "shared"), slave = strstr(propagation, "slave");
	_cleanup_free_ char *text = NULL;
	struct statx st;
	char *line;
	int r;

	if (!shared && !slave)
		return 0;
	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &st) < 0)
		return err_set(err, errno, "find the mount of %s", path);
	r = file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, NULL, err);
	if (r < 0)
		return r;
	line = st.stx_mask & STATX_MNT_ID ? find_line(text, st.stx_mnt_id) : NULL;
	if (line && !has_field(line, " shared:") && !(slave && has_field(line, " master:")))
		return err_say(err, EINVAL,
			       "%s: %s needs it to lie on a shared mount%s, which it does not; see "
			       "`findmnt -o TARGET,PROPAGATION -T %s` and `mount --make-shared`",
			       path, propagation, slave ? " or a slave" : "", path);
	return 0;
}
