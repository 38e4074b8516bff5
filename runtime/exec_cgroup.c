/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/exec_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"

/* "cpu" in "cpu,cpuacct". */
static bool has_word(const char *list, const char *word, size_t len)
{
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == len && memcmp(p, word, len) == 0)
			return true;
	return false;
}

/* The path wanted of a hierarchy; the last one that names it counts. "" for none. */
static const char *path_for(const struct cgroup_hierarchy *h, const char *const *wanted)
{
	const char *path = "";

	for (; *wanted; wanted++) {
		const char *colon = strchr(*wanted, ':');

		if (!colon) {
			path = *wanted;
			continue;
		}
		for (const char *p = *wanted; p < colon; p += strcspn(p, ",:") + 1)
			if (!h->v2 && has_word(h->name, p, strcspn(p, ",:")))
				path = colon + 1;
	}
	return path;
}

/* Each controller that is named has to be there. */
static int check(const struct cgroup_hierarchy *h, size_t count, const char *wanted,
		 struct err *err)
{
	const char *colon = strchr(wanted, ':');

	for (const char *p = wanted; colon && p < colon; p += strcspn(p, ",:") + 1) {
		size_t len = strcspn(p, ",:");
		bool found = false;

		for (size_t i = 0; i < count; i++)
			found |= !h[i].v2 && has_word(h[i].name, p, len);
		if (!found)
			return err_say(
				err, EINVAL,
				"--cgroup %s: no hierarchy of a controller '%.*s' is mounted "
				"here",
				wanted, (int)len, p);
	}
	return 0;
}

/* "cpu" in "cpu,cpuacct:/path". */
static bool names(const char *wanted, const char *word, size_t len)
{
	const char *colon = strchr(wanted, ':');

	for (const char *p = wanted; colon && p < colon; p += strcspn(p, ",:") + 1)
		if (strcspn(p, ",:") == len && memcmp(p, word, len) == 0)
			return true;
	return false;
}

/* No controller of the first is named again by those behind it. */
static int check_once(const char *const *wanted, struct err *err)
{
	const char *colon = strchr(wanted[0], ':');

	for (const char *p = wanted[0]; colon && p < colon; p += strcspn(p, ",:") + 1) {
		size_t len = strcspn(p, ",:");

		for (const char *const *other = wanted + 1; *other; other++)
			if (names(*other, p, len))
				return err_say(
					err, EINVAL,
					"--cgroup %s: controller %.*s specified multiple times",
					*other, (int)len, p);
	}
	return 0;
}

/* Whether ".." leads out of the folder that the path begins in. */
static bool leaves(const char *path)
{
	int depth = 0;

	for (size_t len; *path && depth >= 0; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.')
			depth--;
		else if (len > 0 && !(len == 1 && path[0] == '.'))
			depth++;
	}
	return depth < 0;
}

static int open_folder(const struct cgroup *cgroup, const struct cgroup_hierarchy *h,
		       const char *path, struct err *err)
{
	char base[CGROUP_PATH_MAX], clean[CGROUP_PATH_MAX], whole[2 * CGROUP_PATH_MAX];
	int fd;

	if (leaves(path))
		return err_say(err, EINVAL, "--cgroup: %s is not a sub cgroup path", path);
	if (snprintf(clean, sizeof(clean), "/%s", path) >= (int)sizeof(clean))
		return err_set(err, ENAMETOOLONG, "--cgroup %s", path);
	path_clean(clean);
	snprintf(whole, sizeof(whole), "%s%s%s", cgroup_folder(cgroup, h, base),
		 clean[1] ? clean : "", h->v2 ? "" : "/tasks");
	fd = open(whole, (h->v2 ? O_RDONLY | O_DIRECTORY : O_WRONLY) | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the cgroup %s", whole) : fd;
}

struct joined {
	int v2_fd, task_fds[CGROUP_HIERARCHIES_MAX];
	size_t count;
};

static void joined_deinit(struct joined *j)
{
	cleanup_fd(&j->v2_fd);
	while (j->count > 0)
		cleanup_fd(&j->task_fds[--j->count]);
}

int exec_cgroup_join_fds(const struct cgroup *cgroup, const char *const *wanted, int *ret_v2_fd,
			 int ret_task_fds[static CGROUP_HIERARCHIES_MAX], size_t *ret_count,
			 struct err *err)
{
	_cleanup_(joined_deinit) struct joined j = { .v2_fd = -1 };
	size_t count;
	const struct cgroup_hierarchy *h = cgroup_hierarchies(cgroup, &count);

	for (const char *const *w = wanted; *w; w++) {
		err_try(check(h, count, *w, err));
		err_try(check_once(w, err));
	}
	for (size_t i = 0; i < count; i++) {
		int fd = open_folder(cgroup, &h[i], path_for(&h[i], wanted), err);

		if (fd < 0)
			return fd;
		if (h[i].v2)
			j.v2_fd = fd;
		else
			j.task_fds[j.count++] = fd;
	}
	memcpy(ret_task_fds, j.task_fds, j.count * sizeof(j.task_fds[0]));
	*ret_count = j.count;
	*ret_v2_fd = take_fd(&j.v2_fd);
	j.count = 0;
	return 0;
}

/* "0::/path" of /proc/PID/cgroup, below the mount point. */
static int open_cgroup_of(const struct cgroup_hierarchy *h, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[2 * CGROUP_PATH_MAX];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (file_read(AT_FDCWD, path, 65536, &text, NULL, NULL) < 0)
		return -ENOENT;
	for (line = text; line && strncmp(line, "0::", 3) != 0;)
		line = (line = strchr(line, '\n')) ? line + 1 : NULL;
	if (!line || snprintf(path, sizeof(path), "%s%.*s", h->mountpoint,
			      (int)strcspn(line + 3, "\n"), line + 3) >= (int)sizeof(path))
		return -ENOENT;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool exec_cgroup_is_divided(const struct cgroup *cgroup, pid_t init, int *v2_fd)
{
	char folder[CGROUP_PATH_MAX], path[CGROUP_PATH_MAX + 32];
	_cleanup_free_ char *controllers = NULL;
	size_t count, len = 0;
	const struct cgroup_hierarchy *h = cgroup_hierarchies(cgroup, &count);
	int fd;

	if (*v2_fd < 0)
		return false;
	h += count - 1; /* cgroup2 is the last */
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup_folder(cgroup, h, folder));
	if (file_read(AT_FDCWD, path, 4096, &controllers, &len, NULL) < 0 || len <= 1)
		return false;
	fd = open_cgroup_of(h, init);
	if (fd < 0)
		return false;
	close(*v2_fd);
	*v2_fd = fd;
	return true;
}
