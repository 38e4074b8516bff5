/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All folders of a group, children first. Who may make groups inside of his own can nest them
 * deeper than we have descriptors or stack: so one descriptor is open, of the folder we stand in,
 * and a list of the folders above it holds what is still to be entered there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "cgroups/cgroup_folder.h"

struct level {
	const char *name;	/* in the level above */
	struct strbuf children; /* names with their NULs */
	size_t next;		/* in children */
};

struct walk {
	int fd; /* owned: the folder of the last level */
	struct level *levels;
	size_t count, size;
};

static void walk_deinit(struct walk *w)
{
	while (w->count > 0)
		strbuf_deinit(&w->levels[--w->count].children);
	free(w->levels);
	cleanup_fd(&w->fd);
}

static bool has_vanished(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

static int read_children(int fd, struct strbuf *ret)
{
	_cleanup_fd_ int copy = -1;
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;
	struct stat st;

	/* kernfs counts sub-folders in the link count, so that most folders need not be read. */
	if (fstat(fd, &st) < 0 || st.st_nlink <= 2)
		return 0;
	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || !(dir = fdopendir(copy)))
		return -errno;
	take_fd(&copy);
	while ((e = readdir(dir)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			strbuf_add(ret, e->d_name, strlen(e->d_name) + 1);
	return strbuf_ok(ret) ? 0 : -ENOMEM;
}

/* Steps into a folder; one that is not there any more is left out. */
static int enter(struct walk *w, int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct level level = { .name = name };
	int r;

	if (fd < 0)
		return has_vanished(-errno) ? 0 : -errno;
	if (w->count == w->size) {
		size_t size = w->size ? w->size * 2 : 8;
		void *grown = reallocarray(w->levels, size, sizeof(*w->levels));

		if (!grown)
			return -ENOMEM;
		w->levels = grown;
		w->size = size;
	}
	r = read_children(fd, &level.children);
	if (r < 0) {
		strbuf_deinit(&level.children);
		return has_vanished(r) ? 0 : r;
	}
	w->levels[w->count++] = level;
	cleanup_fd(&w->fd);
	w->fd = take_fd(&fd);
	return 0;
}

/* Visits the folder we stand in, and goes back to the one above. */
static int leave(struct walk *w, int dirfd, cgroup_visit *visit, void *arg)
{
	struct level *level = &w->levels[w->count - 1];
	_cleanup_fd_ int above = -1;
	int r;

	if (w->count > 1) {
		above = openat(w->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (above < 0)
			return -errno;
	}
	r = visit(w->fd, w->count > 1 ? above : dirfd, level->name, arg);
	strbuf_deinit(&level->children);
	w->count--;
	cleanup_fd(&w->fd);
	w->fd = take_fd(&above);
	return has_vanished(r) ? 0 : r;
}

int cgroup_folder_walk(int dirfd, const char *name, cgroup_visit *visit, void *arg)
{
	_cleanup_(walk_deinit) struct walk w = { .fd = -1 };
	int r = enter(&w, dirfd, name);

	while (r == 0 && w.count > 0) {
		struct level *level = &w.levels[w.count - 1];
		const char *child;

		if (level->next == level->children.len) {
			r = leave(&w, dirfd, visit, arg);
			continue;
		}
		child = level->children.data + level->next;
		level->next += strlen(child) + 1;
		r = enter(&w, w.fd, child);
	}
	return has_vanished(r) ? 0 : r;
}

int cgroup_walk(const struct cgroup *c, int i, cgroup_visit *visit, void *arg)
{
	char path[CGROUP_PATH_MAX];

	return cgroup_folder_walk(AT_FDCWD, cgroup_folder(c, &c->mounts->hierarchies[i], path),
				  visit, arg);
}
