/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of one cgroup, one in each hierarchy, and the files in them. A hierarchy is named by
 * its index in struct cgroup_mounts. Files are opened by their whole path: that is cheaper than to
 * hold a descriptor for each of ten folders of which most are never looked at again.
 */
#pragma once

#include "cgroups/cgroup_layout.h"
#include "cgroups/systemd_unit.h"

#define CGROUP_SUBPATH_MAX (CGROUP_PATH_MAX - 256)

struct cgroup {
	const struct cgroup_mounts *mounts;
	char path[CGROUP_SUBPATH_MAX]; /* "/cellar/ID" */
	unsigned fresh; /* bit i: made by us, so its files still hold the kernel's defaults */
	bool created;	/* by cgroup_create(), new or taken over, not by cgroup_open() */
	bool guarded;	/* removed by cgroup_free() */

	/* Where systemd made it. */
	char unit[SYSTEMD_NAME_MAX]; /* "" otherwise */
	bool user;		     /* of the user's manager */
	bool held;		     /* by a placeholder, which keeps the new unit alive */
	bool one_process;	     /* is allowed in it, once the placeholder has gone */
	int placeholder_pidfd, placeholder_fd; /* owned while held */

	/* Owned: what `mounts` points to where that is not all that the host has, or NULL. */
	struct cgroup_mounts *partial;
};

/* cgroup_rootless.c: takes the hierarchies of the mask out of c->mounts, for c alone. -ENOMEM. */
int cgroup_leave_out(struct cgroup *c, unsigned mask, struct err *err);

/* cgroup_rootless.c: where the rootless make cgroups, as far as they may; NULL: nowhere. */
struct cgroup *cgroup_find_place(void);

static inline bool cgroup_is_fresh(const struct cgroup *c, int i)
{
	return c->fresh & 1u << i;
}

/* An object for a path as cgroup_create() takes it; nothing is made or looked for. */
int cgroup_new(const char *path, const char *id, struct cgroup **ret, struct err *err);

/* An open file of the folder (O_CLOEXEC added), or -errno. */
int cgroup_file_open(const struct cgroup *c, int i, const char *name, int flags);

bool cgroup_file_exists(const struct cgroup *c, int i, const char *name);

/* Writes in one go. 0 or -errno. */
int cgroup_file_write(const struct cgroup *c, int i, const char *name, const char *value);

/* As much as fits, NUL-terminated, without the last newline. Returns the length or -errno. */
ssize_t cgroup_file_read(const struct cgroup *c, int i, const char *name, char *buf, size_t size);

/* Appends "/name" to the absolute path of the folder; for messages. Returns buf. */
char *cgroup_file_path(const struct cgroup *c, int i, const char *name,
		       char buf[static CGROUP_PATH_MAX]);

/*
 * Calls visit for the folder `name` in dirfd and every folder below it, children first. visit gets
 * the open folder, and its parent and name for unlinkat(2). The first negative result ends the walk
 * and is returned, except -ENOENT and -ENODEV: folders may vanish under us. A missing folder is no
 * error.
 */
typedef int cgroup_visit(int fd, int parent_fd, const char *name, void *arg);
int cgroup_folder_walk(int dirfd, const char *name, cgroup_visit *visit, void *arg);

/* The same from our folder in hierarchy i. */
int cgroup_walk(const struct cgroup *c, int i, cgroup_visit *visit, void *arg);
