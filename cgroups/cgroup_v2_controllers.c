/* SPDX-License-Identifier: Apache-2.0 */
/* Enabling controllers of cgroup2 from the mount point down to our folder's parent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/userns.h"
#include "cgroups/cgroup_limit.h"
#include "cgroups/cgroup_v2.h"

#define LIST_SIZE 256

bool cgroup_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/*
 * The folders above ours, first the mount point: each call makes *above the next one. Start with a
 * zeroed one. False when there is no further.
 */
static bool next_above(const struct cgroup *c, struct cgroup *above)
{
	const char *slash;
	size_t len;

	if (!above->mounts) {
		above->mounts = c->mounts;
		return true;
	}
	len = strlen(above->path);
	slash = strchr(c->path + len + 1, '/');
	if (!slash)
		return false;
	len = (size_t)(slash - c->path);
	memcpy(above->path, c->path, len);
	above->path[len] = '\0';
	return true;
}

static void read_controllers(const struct cgroup *c, char list[static LIST_SIZE])
{
	list[0] = '\0';
	cgroup_file_read(c, c->mounts->v2, "cgroup.controllers", list, LIST_SIZE);
}

/* Whether a v1 hierarchy has a controller, which then is not cgroup2's. */
static bool is_v1(const struct cgroup_mounts *mounts, const char *name)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		const char *v2 = cgroup_controller_name(i, true);

		if (v2 && strcmp(v2, name) == 0)
			return mounts->v1[i] >= 0;
	}
	/* Of a hybrid host's cgroup2 we take only what we know to use. */
	return mounts->layout == CGROUP_HYBRID;
}

/*
 * The kernel would enable cpu, cpuset and pids beside processes, but then the folder is the root of
 * a threaded subtree, and below it no container can live. The true root has no cgroup.type.
 */
static int enable(const struct cgroup *above, const char *words)
{
	int v2 = above->mounts->v2;
	char pid[16];

	if (cgroup_file_read(above, v2, "cgroup.procs", pid, sizeof(pid)) > 0 &&
	    cgroup_file_exists(above, v2, "cgroup.type"))
		return -EBUSY;
	return cgroup_file_write(above, v2, "cgroup.subtree_control", words);
}

/* Whether folders below this one can have it. */
static bool can_limit(const struct cgroup *top, const char *controller)
{
	char list[LIST_SIZE], pid[16];

	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		if (strcmp(cgroup_controller_name(i, false), controller) == 0 &&
		    top->mounts->v1[i] >= 0)
			return true;
	if (top->mounts->v2 < 0)
		return false;
	read_controllers(top, list);
	if (!cgroup_list_has(list, controller))
		return false;
	if (cgroup_file_read(top, top->mounts->v2, "cgroup.subtree_control", list, sizeof(list)) >
		    0 &&
	    cgroup_list_has(list, controller))
		return true;
	/* As in enable(). */
	return cgroup_file_read(top, top->mounts->v2, "cgroup.procs", pid, sizeof(pid)) <= 0 ||
	       !cgroup_file_exists(top, top->mounts->v2, "cgroup.type");
}

bool cgroup_can_limit(const char *controller)
{
	_cleanup_cgroup_ struct cgroup *place = NULL;
	struct cgroup top = { 0 };

	if (cgroup_mounts_find(&top.mounts, NULL) < 0)
		return false;
	if (!userns_is_rootless())
		return can_limit(&top, controller);
	place = cgroup_find_place();
	return place && can_limit(place, controller);
}

static void enable_in(const struct cgroup *above)
{
	char list[LIST_SIZE], all[2 * LIST_SIZE] = "", *save = NULL;
	char words[32][32];
	size_t count = 0, len = 0;
	int r;

	read_controllers(above, list);
	for (char *w = strtok_r(list, " ", &save); w && count < ARRAY_SIZE(words);
	     w = strtok_r(NULL, " ", &save)) {
		if (is_v1(above->mounts, w))
			continue;
		snprintf(words[count++], sizeof(words[0]), "+%s", w);
		len += (size_t)snprintf(all + len, sizeof(all) - len, "+%s ", w);
	}
	r = count > 0 ? enable(above, all) : 0;
	/* All or none: one that cannot be had must not keep the others away. */
	for (size_t i = 0; r < 0 && r != -EBUSY && i < count; i++)
		enable(above, words[i]);
}

static bool wants_any(const struct cgroup_mounts *mounts)
{
	if (mounts->layout == CGROUP_V2)
		return true;
	/* The rarer ones of a hybrid host's cgroup2 are enabled when one is asked for. */
	for (int i = 0; i < CGROUP_HUGETLB; i++)
		if (mounts->v1[i] < 0 && cgroup_controller_name(i, true))
			return true;
	return false;
}

int cgroup_v2_enable(const struct cgroup *c, struct err *err)
{
	struct cgroup above = { 0 };
	char have[LIST_SIZE], root[LIST_SIZE], type[64] = "", path[CGROUP_PATH_MAX];
	int v2 = c->mounts->v2;

	if (v2 < 0 || !wants_any(c->mounts))
		return 0;
	next_above(c, &above);
	read_controllers(c, have);
	read_controllers(&above, root);
	if (strcmp(have, root) == 0)
		return 0;
	cgroup_file_read(c, v2, "cgroup.type", type, sizeof(type));
	if (type[0] && strcmp(type, "domain") != 0 && strcmp(type, "domain threaded") != 0)
		return err_say(
			err, EOPNOTSUPP,
			"cgroup %s is of type \"%s\", because a cgroup above it is threaded; a container needs a domain",
			cgroup_folder(c, &c->mounts->hierarchies[v2], path), type);
	do
		enable_in(&above);
	while (next_above(c, &above));
	return 0;
}

static bool is_enabled(const struct cgroup *above, const char *name)
{
	char list[LIST_SIZE];

	return cgroup_file_read(above, above->mounts->v2, "cgroup.subtree_control", list,
				sizeof(list)) > 0 &&
	       cgroup_list_has(list, name);
}

int cgroup_v2_require(const struct cgroup *c, enum cgroup_controller controller, const char *field,
		      struct err *err)
{
	const char *name = cgroup_controller_name(controller, true);
	struct cgroup above = { 0 };
	char list[LIST_SIZE], word[64], path[CGROUP_PATH_MAX];
	int r;

	read_controllers(c, list);
	if (cgroup_list_has(list, name))
		return 0;
	snprintf(word, sizeof(word), "+%s", name);
	while (next_above(c, &above)) {
		read_controllers(&above, list);
		if (!cgroup_list_has(list, name))
			return cgroup_limit_bad(
				field, err, EOPNOTSUPP, "the %s controller is not %s on this host",
				name, c->mounts->layout == CGROUP_V2 ? "available" : "mounted");
		r = enable(&above, word);
		/* What is enabled above what was delegated to us is not ours to write. */
		if (r == 0 || (r == -EACCES && is_enabled(&above, name)))
			continue;
		cgroup_folder(&above, &c->mounts->hierarchies[c->mounts->v2], path);
		return cgroup_limit_bad(field, err, EOPNOTSUPP,
					"the %s controller cannot be enabled in %s: %s", name, path,
					r == -EBUSY ? "processes live in that cgroup itself"
						    : strerror(-r));
	}
	return 0;
}
