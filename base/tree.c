/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal of a folder with all in it. A container can nest folders far deeper than a process has
 * descriptors or stack: so there is one descriptor, of the folder we stand in, and a list of the
 * folders we came through, by which the way back ("..") is checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

struct step {
	ino_t parent; /* the folder that name lies in */
	char name[NAME_MAX + 1];
};

struct walk {
	int fd; /* owned: where we stand */
	ino_t ino;
	struct step *steps;
	size_t count, size;
	struct err *err;
};

/* Enters no mount, not even a bind mount of the same file system: that is somebody's data. */
static int open_folder(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
}

static void walk_deinit(struct walk *walk)
{
	cleanup_fd(&walk->fd);
	free(walk->steps);
}

/* Names the whole way to what could not be removed, as far as it fits. */
static int walk_fail(const struct walk *walk, int code, const char *name, const char *why)
{
	char path[600] = "";
	size_t len = 0;

	for (size_t i = 0; i < walk->count && len < sizeof(path); i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "%s/", walk->steps[i].name);
	return err_set(walk->err, code, "remove %s%s%s", path, name, why);
}

static int walk_down(struct walk *walk, const char *name)
{
	_cleanup_fd_ int fd = open_folder(walk->fd, name);
	struct stat st;

	if (fd < 0 && errno == EXDEV)
		return walk_fail(walk, EBUSY, name, ", where something is mounted");
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : walk_fail(walk, errno, name, "");
	if (walk->count == walk->size) {
		size_t size = walk->size ? walk->size * 2 : 8;
		void *grown = reallocarray(walk->steps, size, sizeof(*walk->steps));

		if (!grown)
			return walk_fail(walk, ENOMEM, name, "");
		walk->steps = grown;
		walk->size = size;
	}
	walk->steps[walk->count].parent = walk->ino;
	snprintf(walk->steps[walk->count].name, sizeof(walk->steps->name), "%s", name);
	walk->count++;
	close(walk->fd);
	walk->fd = take_fd(&fd);
	walk->ino = st.st_ino;
	return 0;
}

/* Back to the parent, and removes the folder we leave, which is empty now. */
static int walk_up(struct walk *walk)
{
	const struct step *step = &walk->steps[walk->count - 1];
	_cleanup_fd_ int fd = open_folder(walk->fd, "..");
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return walk_fail(walk, errno, "..", "");
	/* Somebody moved it away: what lies there now is not ours to remove. */
	if (st.st_ino != step->parent)
		return walk_fail(walk, EBUSY, "..", ", which was moved meanwhile");
	close(walk->fd);
	walk->fd = take_fd(&fd);
	walk->ino = st.st_ino;
	walk->count--;
	if (unlinkat(walk->fd, step->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return walk_fail(walk, errno, step->name, "");
	return 0;
}

/* Removes the files here, up to the first folder, which is entered. 1: none is left. */
static int walk_empty(struct walk *walk)
{
	_cleanup_dir_ DIR *dir = NULL;
	int copy = openat(walk->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	if (copy < 0)
		return walk_fail(walk, errno, ".", "");
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return walk_fail(walk, errno, ".", "");
	}
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(walk->fd, e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR)
			return walk_fail(walk, errno, e->d_name, "");
		/* Most are empty, and going in and out again takes ten calls. */
		if (unlinkat(walk->fd, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		return walk_down(walk, e->d_name);
	}
	return 1;
}

static int walk_start(struct walk *walk, int dirfd, const char *name, struct err *err)
{
	struct statx st;

	*walk = (struct walk){ .err = err };
	/* The way to it may lead over mounts; it must be none. */
	walk->fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (walk->fd < 0 || statx(walk->fd, "", AT_EMPTY_PATH, STATX_INO, &st) < 0)
		return err_set(err, errno, "remove %s", name);
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return err_set(err, EBUSY, "remove %s, where something is mounted", name);
	walk->ino = st.stx_ino;
	return 0;
}

int tree_remove(int dirfd, const char *name, struct err *err)
{
	_cleanup_(walk_deinit) struct walk walk = { .fd = -1 };
	struct stat st;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "remove %s", name);
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
			return err_set(err, errno, "remove %s", name);
		return 0;
	}
	r = walk_start(&walk, dirfd, name, err);
	while (r >= 0) {
		r = walk_empty(&walk);
		if (r == 1 && walk.count == 0)
			break;
		if (r == 1)
			r = walk_up(&walk);
	}
	if (r < 0)
		return walk.count > 0 ? err_add(err, "%s", name) : r;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove folder %s", name);
	return 0;
}
