/* SPDX-License-Identifier: Apache-2.0 */
/* How a content comes into a volume: made aside, named ready, moved in name by name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "storage/file_copy.h"
#include "storage/volume_struct.h"

#define COPY_TREE VOLUME_COPY "/tree"
#define COPY_LINKS VOLUME_COPY "/links"

static int make_open(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	if (mkdirat(dirfd, path, 0700) < 0)
		return err_set(err, errno, "create folder %s", path);
	*ret_fd = dir_open(dirfd, path, err);
	return *ret_fd < 0 ? *ret_fd : 0;
}

int volume_fill_begin(struct volume *volume, int *ret_tree_fd, int *ret_links_fd, struct err *err)
{
	_cleanup_fd_ int tree = -1, links = -1;

	if (mkdirat(volume->fd, VOLUME_COPY, 0700) < 0)
		return err_set(err, errno, "create folder " VOLUME_COPY);
	err_try(make_open(volume->fd, COPY_TREE, &tree, err));
	err_try(make_open(volume->fd, COPY_LINKS, &links, err));
	*ret_tree_fd = take_fd(&tree);
	*ret_links_fd = take_fd(&links);
	return 0;
}

/* A name that a container made meanwhile stays its own. */
static int move_names(int from_fd, int to_fd, struct err *err)
{
	int fd = dir_open(from_fd, ".", err);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir)
		return fd < 0 ? fd : err_set(err, ENOMEM, "list " VOLUME_READY);
	while ((errno = 0, e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (renameat2(from_fd, e->d_name, to_fd, e->d_name, RENAME_NOREPLACE) < 0 &&
		    errno != EEXIST)
			return err_set(err, errno, "move %s into its place", e->d_name);
	}
	return errno ? err_set(err, errno, "list " VOLUME_READY) : 0;
}

static int finish(struct volume *v, int ready_fd, struct err *err)
{
	_cleanup_fd_ int data = -1;
	struct stat st;
	int r;

	if (mkdirat(v->fd, VOLUME_DATA, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "create folder " VOLUME_DATA);
	data = dir_open(v->fd, VOLUME_DATA, err);
	/* Taken again after a kill they may be of a moment in between: times only. */
	if (data < 0 || fstat(ready_fd, &st) < 0)
		return data < 0 ? data : err_set(err, errno, "read " VOLUME_READY);
	r = move_names(ready_fd, data, err);
	if (r < 0)
		return r;
	r = file_copy_attributes(ready_fd, data, ".", &st);
	if (r < 0)
		return err_set(err, -r, "set the attributes of " VOLUME_DATA);
	return tree_remove(v->fd, VOLUME_READY, err);
}

int volume_mend_content(struct volume *v, struct err *err)
{
	_cleanup_fd_ int ready = dir_open(v->fd, VOLUME_READY, NULL);
	int r = 0;

	if (ready >= 0)
		r = finish(v, ready, err);
	else if (ready != -ENOENT)
		r = err_set(err, -ready, "open " VOLUME_READY);
	return r < 0 ? r : tree_remove(v->fd, VOLUME_COPY, err);
}

int volume_fill_end(struct volume *volume, struct err *err)
{
	if (renameat(volume->fd, COPY_TREE, volume->fd, VOLUME_READY) < 0)
		return err_set(err, errno, "fill volume %s", volume->name);
	return volume_mend_content(volume, err);
}

int volume_fill_drop(struct volume *volume, struct err *err)
{
	return tree_remove(volume->fd, VOLUME_COPY, err);
}

int volume_is_empty(struct volume *volume, struct err *err)
{
	int fd = dir_open(volume->fd, VOLUME_DATA, err);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir)
		return fd < 0 ? fd : err_set(err, ENOMEM, "list volume %s", volume->name);
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return 0;
	return 1;
}
