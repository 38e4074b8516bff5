/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a process stands still. Its cgroup need not be the container's: a container that got a part
 * of cgroup2 delegated may freeze folders of its own, and whoever owns one above may freeze that. A
 * folder of v1 tells of those above it; in cgroup2, cgroup.events does only when all have stopped,
 * so the whole path is asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cgroups/cgroup_folder.h"

/* Of /proc/PID/cgroup, "4:memory,x:/path" or "0::/path": the path in a hierarchy. */
static const char *find_line(char *text, const char *controllers)
{
	char *next;

	for (char *line = text; line && *line; line = next) {
		char *name = strchr(line, ':'), *path = name ? strchr(name + 1, ':') : NULL;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(name + 1, controllers) == 0)
			return path;
	}
	return NULL;
}

/* The folder of a process in hierarchy i, absolute; its length, or -errno. */
static int find_folder(const struct cgroup *c, int i, pid_t pid, char ret[static CGROUP_PATH_MAX])
{
	const struct cgroup_hierarchy *h = &c->mounts->hierarchies[i];
	_cleanup_free_ char *text = NULL;
	const char *path;
	char proc[64];
	int len;

	snprintf(proc, sizeof(proc), "/proc/%d/cgroup", pid);
	if (file_read(AT_FDCWD, proc, 65536, &text, NULL, NULL) < 0)
		return -ESRCH;
	path = find_line(text, h->v2 ? "" : h->name);
	if (!path)
		return -ENOENT;
	len = snprintf(ret, CGROUP_PATH_MAX, "%s%s", h->mountpoint, path[1] ? path : "");
	return len < CGROUP_PATH_MAX ? len : -ENAMETOOLONG;
}

static bool says(const char *folder, const char *file, const char *word)
{
	_cleanup_free_ char *text = NULL;
	char path[CGROUP_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return file_read(AT_FDCWD, path, 64, &text, NULL, NULL) == 0 &&
	       strncmp(text, word, strlen(word)) == 0;
}

static bool is_frozen_v2(const struct cgroup *c, pid_t pid, char path[static CGROUP_PATH_MAX])
{
	size_t top;
	char *slash;

	if (c->mounts->v2 < 0 || find_folder(c, c->mounts->v2, pid, path) < 0)
		return false;
	top = strlen(c->mounts->hierarchies[c->mounts->v2].mountpoint);
	while (strlen(path) > top && !says(path, "cgroup.freeze", "1") &&
	       (slash = strrchr(path, '/')))
		*slash = '\0';
	return strlen(path) > top;
}

bool cgroup_holds_frozen(const struct cgroup *c, pid_t pid, char ret_path[static CGROUP_PATH_MAX])
{
	int freezer = c->mounts->v1[CGROUP_FREEZER];

	if (freezer >= 0 && find_folder(c, freezer, pid, ret_path) > 0 &&
	    (says(ret_path, "freezer.state", "FROZEN") ||
	     says(ret_path, "freezer.state", "FREEZING")))
		return true;
	return is_frozen_v2(c, pid, ret_path);
}

/* Whoever leaves a frozen folder of v1 goes on: this one to its death. */
void cgroup_release_killed(const struct cgroup *c, pid_t pid)
{
	int freezer = c->mounts->v1[CGROUP_FREEZER];
	char path[CGROUP_PATH_MAX], number[16];

	if (freezer < 0)
		return;
	snprintf(path, sizeof(path), "%s/tasks", c->mounts->hierarchies[freezer].mountpoint);
	snprintf(number, sizeof(number), "%d", pid);
	file_write(AT_FDCWD, path, number, NULL);
}
