/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a folder of cgroup2 over to a user. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "cgroups/cgroup_folder.h"
#include "cgroups/cgroup_v2.h"

#define LIST_FILE "/sys/kernel/cgroup/delegate"
/* What kernels before 4.15, without that list, would have in it. */
#define LIST_USUAL "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n"

static int give(const struct cgroup *c, const char *name, uid_t uid, gid_t gid, struct err *err)
{
	char path[CGROUP_PATH_MAX];

	cgroup_file_path(c, c->mounts->v2, name, path);
	if (chown(path, uid, gid) < 0 && errno != ENOENT)
		return err_set(err, errno, "give %s to user %u", path, uid);
	return 0;
}

int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, gid_t gid, struct err *err)
{
	_cleanup_free_ char *list = NULL;
	char *save = NULL;

	if (cgroup->mounts->layout != CGROUP_V2)
		return 0;
	if (file_read(AT_FDCWD, LIST_FILE, 65536, &list, NULL, NULL) < 0 &&
	    !(list = strdup(LIST_USUAL)))
		return err_set(err, ENOMEM, "delegate cgroup %s", cgroup->path);
	err_try(give(cgroup, "", uid, gid, err));
	for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save))
		err_try(give(cgroup, name, uid, gid, err));
	return 0;
}

int cgroup_delegate_below(const struct cgroup *cgroup, const char *name, pid_t pid, uid_t uid,
			  struct err *err)
{
	struct cgroup below = *cgroup;
	size_t len = strlen(below.path);
	char path[CGROUP_PATH_MAX], text[16];
	int r, v2 = cgroup->mounts->v2;

	if (cgroup->mounts->layout != CGROUP_V2)
		return err_say(err, EOPNOTSUPP, "only cgroup v2 can be delegated safely");
	if (!path_is_name(name) || len + strlen(name) + 2 > sizeof(below.path))
		return err_say(err, EINVAL, "'%s' is not the name of one folder", name);
	snprintf(below.path + len, sizeof(below.path) - len, "/%s", name);
	cgroup_folder(&below, &cgroup->mounts->hierarchies[v2], path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "create cgroup %s", path);
	err_try(cgroup_delegate(&below, uid, (gid_t)-1, err));
	snprintf(text, sizeof(text), "%d", (int)pid);
	r = cgroup_file_write(&below, v2, "cgroup.procs", text);
	if (r < 0)
		return err_set(err, -r, "move process %d into cgroup %s", (int)pid, path);
	return cgroup_v2_enable(&below, err);
}
