/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup of a container whose runtime has no privileges over the host. What was delegated to it
 * is a folder with its user's name on it, in which it is itself, as likely as not in a folder of
 * its own below; so containers go beside it: a folder that holds processes gives no controllers to
 * those below. Only where that is not ours they go below it, and have no limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "cgroups/cgroup_create.h"
#include "cgroups/cgroup_limit.h"

#define OWN_MAX 65536

static struct cgroup_mounts no_mounts(void)
{
	struct cgroup_mounts m = { .v2 = -1, .layout = cgroup_layout() };

	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		m.v1[i] = -1;
	return m;
}

int cgroup_leave_out(struct cgroup *c, unsigned mask, struct err *err)
{
	struct cgroup_mounts *left = calloc(1, sizeof(*left));
	int at[CGROUP_HIERARCHIES_MAX];

	if (!left)
		return err_set(err, ENOMEM, "open cgroup %s", c->path);
	*left = no_mounts();
	for (size_t i = 0; i < c->mounts->count; i++) {
		at[i] = mask & 1u << i ? -1 : (int)left->count;
		if (at[i] >= 0)
			left->hierarchies[left->count++] = c->mounts->hierarchies[i];
	}
	if (c->mounts->v2 >= 0)
		left->v2 = at[c->mounts->v2];
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if (c->mounts->v1[i] >= 0)
			left->v1[i] = at[c->mounts->v1[i]];
	free(c->partial);
	c->mounts = c->partial = left;
	return 0;
}

int cgroup_create_none(struct cgroup **ret, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *c = calloc(1, sizeof(*c));

	if (!c || !(c->partial = calloc(1, sizeof(*c->partial))))
		return err_set(err, ENOMEM, "open cgroup");
	*c->partial = no_mounts();
	c->mounts = c->partial;
	c->created = true;
	*ret = take_ptr(c);
	return 0;
}

bool cgroup_is_none(const struct cgroup *cgroup)
{
	return cgroup->mounts->count == 0;
}

int cgroup_limit_rootless(const char *field, const char *controller, struct err *err)
{
	return cgroup_limit_bad(
		field, err, EOPNOTSUPP,
		"cannot set %s limit: container could not join or create cgroup; rootless needs no limits + no cgrouppath when no permission is granted for cgroups (have one delegated, as systemd does by Delegate=yes, or leave the limit out)",
		controller);
}

/* The folder we are in: by cgroup2's word where there is one. "" for the top. */
static int find_own(char ret[static CGROUP_SUBPATH_MAX])
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL, *own = NULL;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", OWN_MAX, &text, NULL, NULL) < 0)
		return -ENOENT;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (path && (!own || names[1] == ':'))
			own = path + 1;
	}
	/* "/../x": we are outside of what the namespace shows. */
	if (!own || own[0] != '/' || strncmp(own, "/..", 3) == 0 ||
	    strlen(own) >= CGROUP_SUBPATH_MAX)
		return -ENOENT;
	strcpy(ret, own[1] ? own : "");
	return 0;
}

/* The folder around it. */
static void step_up(char path[static CGROUP_SUBPATH_MAX])
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* cgroup2 lets us move a process only where we may write to what holds both its old place and its
 * new one. */
static bool is_ours(const struct cgroup *around, int i)
{
	char path[CGROUP_PATH_MAX];

	cgroup_file_path(around, i, i == around->mounts->v2 ? "cgroup.procs" : "", path);
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
		return false;
	return faccessat(AT_FDCWD, cgroup_file_path(around, i, "", path), W_OK, AT_EACCESS) == 0;
}

static bool is_refusal(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* c->path is the folder to make ours in: leaves the hierarchies in which we may. -EACCES for none.
 */
static int keep_ours(struct cgroup *c, struct err *err)
{
	unsigned refused = 0;

	err_try(cgroup_mounts_find(&c->mounts, err));
	for (int i = 0; i < (int)c->mounts->count; i++)
		if (!is_ours(c, i))
			refused |= 1u << i;
	if (refused)
		err_try(cgroup_leave_out(c, refused, err));
	return cgroup_is_none(c) ? -EACCES : 0;
}

/* c is new. */
static int make_in(struct cgroup *c, const char *id, struct err *err)
{
	size_t len = strlen(c->path);

	err_try(keep_ours(c, err));
	if (snprintf(c->path + len, sizeof(c->path) - len, "/cellar-%s", id) >=
	    (int)(sizeof(c->path) - len))
		return err_set(err, ENAMETOOLONG, "create cgroup");
	return cgroup_make_folders(c, err);
}

static int create_in(const char *folder, const char *id, struct cgroup **ret, struct err *err)
{
	_cleanup_cgroup_ struct cgroup *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, ENOMEM, "open cgroup");
	strcpy(c->path, folder);
	err_try(make_in(c, id, err));
	c->created = c->guarded = true;
	*ret = take_ptr(c);
	return 0;
}

static int create_somewhere(const char *id, struct cgroup **ret, struct err *err)
{
	char own[CGROUP_SUBPATH_MAX], around[CGROUP_SUBPATH_MAX];
	const struct cgroup_mounts *mounts;
	int r;

	if (cgroup_mounts_find(&mounts, NULL) < 0 || find_own(own) < 0)
		return cgroup_create_none(ret, err);
	strcpy(around, own);
	step_up(around);
	r = create_in(around, id, ret, err);
	if (is_refusal(r))
		r = create_in(own, id, ret, err);
	if (!is_refusal(r))
		return r;
	err_clear(err);
	return cgroup_create_none(ret, err);
}

int cgroup_create_rootless(const char *path, const char *id, struct cgroup **ret, struct err *err)
{
	char around[CGROUP_SUBPATH_MAX], clean[CGROUP_PATH_MAX], whole[2 * CGROUP_PATH_MAX];

	if (!path || !*path)
		return create_somewhere(id, ret, err);
	if (path[0] == '/' || find_own(around) < 0)
		return cgroup_create(path, id, ret, err);
	step_up(around);
	if (snprintf(clean, sizeof(clean), "/%s", path) >= (int)sizeof(clean))
		return err_set(err, ENAMETOOLONG, "linux.cgroupsPath");
	path_clean(clean);
	snprintf(whole, sizeof(whole), "%s%s", around, clean);
	return cgroup_create(whole, id, ret, err);
}

struct cgroup *cgroup_find_place(void)
{
	_cleanup_cgroup_ struct cgroup *c = calloc(1, sizeof(*c));
	char own[CGROUP_SUBPATH_MAX];

	if (!c || find_own(own) < 0)
		return NULL;
	strcpy(c->path, own);
	step_up(c->path);
	if (keep_ours(c, NULL) == 0)
		return take_ptr(c);
	strcpy(c->path, own);
	return keep_ours(c, NULL) == 0 ? take_ptr(c) : NULL;
}
