/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts at and below /proc, on which much of a container's safety rests: few are let pass. */
#include <errno.h>
#include <string.h>

#include "isolation/plan_builder.h"

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* What may be laid over a file of /proc: what lxcfs and the like give a container of its own. */
static bool may_cover_proc(const char *path)
{
	static const char *const allowed[] = {
		"/proc/cpuinfo",
		"/proc/diskstats",
		"/proc/meminfo",
		"/proc/stat",
		"/proc/swaps",
		"/proc/uptime",
		"/proc/loadavg",
		"/proc/slabinfo",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/crypto/fips_enabled",
	};

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strcmp(path, allowed[i]) == 0)
			return true;
	return false;
}

static int bad(size_t index, const char *text, struct err *err)
{
	return err_say(err, EINVAL, "mounts[%zu].destination: %s", index, text);
}

int plan_check_proc(const struct oci_mount *mount, size_t index, bool bind, struct plan_mount *ret,
		    struct err *err)
{
	const char *path = mount->destination;

	if (!is_below(path, "/proc"))
		return 0;
	if (may_cover_proc(path)) {
		ret->flags |= PLAN_MOUNT_OVER_PROC;
		return 0;
	}
	if (strcmp(path, "/proc") != 0)
		return bad(index, "may not lie inside /proc", err);
	if (bind)
		ret->flags |= PLAN_MOUNT_REAL_PROC | PLAN_MOUNT_OVER_PROC;
	else if (!mount->type || strcmp(mount->type, "proc") != 0)
		return bad(index, "only proc itself may be mounted at /proc", err);
	return 0;
}
