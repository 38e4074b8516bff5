/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/shim_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cgroups/cgroup.h"

CLEANUP_DEFINE(struct cgroup, shim_cgroup, cgroup_free);

static int join(const struct cgroup *cgroup, const struct cgroup_hierarchy *h, const char *pid,
		struct err *err)
{
	char folder[CGROUP_PATH_MAX], path[CGROUP_PATH_MAX + sizeof("/cgroup.procs")];
	struct err why = { 0 };
	int r;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup_folder(cgroup, h, folder));
	r = file_write(AT_FDCWD, path, pid, &why);
	/* Not every hierarchy needs to have it. */
	return r < 0 && r != -ENOENT ? err_say(err, why.code, "%s", why.text) : 0;
}

int shim_cgroup_move(const char *path, pid_t pid, struct err *err)
{
	_cleanup_(cleanup_shim_cgroup) struct cgroup *cgroup = NULL;
	const struct cgroup_hierarchy *all;
	char absolute[PATH_MAX], number[24];
	size_t count;

	if (snprintf(absolute, sizeof(absolute), "/%s", path) >= (int)sizeof(absolute))
		return err_set(err, ENAMETOOLONG, "options.shim_cgroup");
	if (cgroup_open(absolute, &cgroup, err) < 0)
		return err_add(err, "options.shim_cgroup");
	snprintf(number, sizeof(number), "%d", (int)pid);
	all = cgroup_hierarchies(cgroup, &count);
	for (size_t i = 0; i < count; i++)
		if (join(cgroup, &all[i], number, err) < 0)
			return err_add(err, "options.shim_cgroup");
	return 0;
}
