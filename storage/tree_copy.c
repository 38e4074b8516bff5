/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over two trees at once. There is one pair of descriptors, of the folders we stand in, and
 * a list of the folders we came through, each with the names that are left to do; the way back
 * ("..") is checked by inode on both sides.
 */
#include "storage/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "storage/file_copy.h"

struct level {
	char *names; /* owned; each ends with a NUL, behind the last stands another */
	size_t at;
	ino_t source, target;
	char name[NAME_MAX + 1]; /* of this folder in the one above */
};

struct copy {
	int source_fd, target_fd; /* owned: where we stand */
	int links_fd;
	struct level *levels;
	size_t count, size;
	struct err *err;
};

static void copy_deinit(struct copy *c)
{
	cleanup_fd(&c->source_fd);
	cleanup_fd(&c->target_fd);
	for (size_t i = 0; i < c->count; i++)
		free(c->levels[i].names);
	free(c->levels);
}

/* Names the whole way to what failed, as far as it fits. */
static int fail(const struct copy *c, int code, const char *name)
{
	char path[600] = "";
	size_t len = 0;

	for (size_t i = 1; i < c->count && len < sizeof(path); i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "%s/", c->levels[i].name);
	return err_set(c->err, code, "copy %s%s", path, name);
}

static int open_folder(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* All names of a folder at once: a stream would keep a descriptor for each level. */
static int read_names(int dirfd, char **ret)
{
	_cleanup_strbuf_ struct strbuf names = { 0 };
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;
	int fd = open_folder(dirfd, ".");

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strbuf_add(&names, e->d_name, strlen(e->d_name) + 1);
	if (errno)
		return -errno;
	strbuf_add(&names, "", 1);
	*ret = strbuf_take(&names);
	return *ret ? 0 : -ENOMEM;
}

/* Stands in the two folders from now on; takes them. */
static int enter(struct copy *c, int source_fd, int target_fd, const char *name)
{
	struct level *level;
	struct stat source, target;
	int r;

	close(c->source_fd);
	close(c->target_fd);
	c->source_fd = source_fd;
	c->target_fd = target_fd;
	if (c->count == c->size) {
		size_t size = c->size ? c->size * 2 : 8;
		void *grown = reallocarray(c->levels, size, sizeof(*c->levels));

		if (!grown)
			return fail(c, ENOMEM, name);
		c->levels = grown;
		c->size = size;
	}
	if (fstat(source_fd, &source) < 0 || fstat(target_fd, &target) < 0)
		return fail(c, errno, name);
	level = &c->levels[c->count];
	*level = (struct level){ .source = source.st_ino, .target = target.st_ino };
	snprintf(level->name, sizeof(level->name), "%s", name);
	r = read_names(source_fd, &level->names);
	if (r < 0)
		return fail(c, -r, name);
	c->count++;
	return 0;
}

static int copy_folder(struct copy *c, const char *name)
{
	_cleanup_fd_ int source = open_folder(c->source_fd, name), target = -1;

	if (source < 0 || mkdirat(c->target_fd, name, 0700) < 0)
		return fail(c, errno, name);
	target = open_folder(c->target_fd, name);
	if (target < 0)
		return fail(c, errno, name);
	return enter(c, take_fd(&source), take_fd(&target), name);
}

/* The folder is whole: its attributes, and back to the one above. */
static int leave(struct copy *c)
{
	struct level *level = &c->levels[c->count - 1];
	_cleanup_fd_ int source = -1, target = -1;
	struct stat st, above_source, above_target;
	int r = fstat(c->source_fd, &st) < 0 ? -errno : 0;

	if (r == 0)
		r = file_copy_attributes(c->source_fd, c->target_fd, ".", &st);
	if (r < 0)
		return fail(c, -r, ".");
	free(level->names);
	c->count--;
	if (!c->count)
		return 0;
	source = open_folder(c->source_fd, "..");
	target = open_folder(c->target_fd, "..");
	if (source < 0 || target < 0 || fstat(source, &above_source) < 0 ||
	    fstat(target, &above_target) < 0)
		return fail(c, errno, "..");
	level = &c->levels[c->count - 1];
	if (above_source.st_ino != level->source || above_target.st_ino != level->target)
		return fail(c, EBUSY, "..");
	close(c->source_fd);
	close(c->target_fd);
	c->source_fd = take_fd(&source);
	c->target_fd = take_fd(&target);
	return 0;
}

/* A file of several names: 1 when it was there under another one and has this one, too, now. */
static int link_known(struct copy *c, const char *name, const struct stat *st, char key[static 40])
{
	snprintf(key, 40, "%jx-%jx", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
	if (linkat(c->links_fd, key, c->target_fd, name, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

static int copy_other(struct copy *c, const char *name, const struct stat *st)
{
	bool several = st->st_nlink > 1;
	char key[40];
	int r = several ? link_known(c, name, st, key) : 0;

	if (r != 0)
		return r < 0 ? fail(c, -r, name) : 0;
	r = file_copy(c->source_fd, c->target_fd, name, st);
	if (r == 0)
		r = file_copy_attributes(c->source_fd, c->target_fd, name, st);
	if (r == 0 && several && linkat(c->target_fd, name, c->links_fd, key, 0) < 0)
		r = -errno;
	return r < 0 ? fail(c, -r, name) : 0;
}

static int copy_next(struct copy *c)
{
	struct level *level = &c->levels[c->count - 1];
	const char *name = level->names + level->at;
	struct stat st;

	if (!*name)
		return leave(c);
	level->at += strlen(name) + 1;
	if (fstatat(c->source_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(c, errno, name);
	if (S_ISDIR(st.st_mode))
		return copy_folder(c, name);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
		return 0; /* a whiteout */
	return copy_other(c, name, &st);
}

int tree_copy(int source_fd, int target_fd, int links_fd, struct err *err)
{
	_cleanup_(copy_deinit) struct copy c = {
		.source_fd = -1,
		.target_fd = -1,
		.links_fd = links_fd,
		.err = err,
	};
	_cleanup_fd_ int source = open_folder(source_fd, "."), target = open_folder(target_fd, ".");
	int r;

	if (source < 0 || target < 0)
		return err_set(err, errno, "open the folders of a copy");
	r = enter(&c, take_fd(&source), take_fd(&target), "");
	while (r == 0 && c.count > 0)
		r = copy_next(&c);
	return r;
}
