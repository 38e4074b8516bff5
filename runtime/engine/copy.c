/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. Both ends are found first, those inside by openat2 in the container's root
 * (root_view.h); then tree_move.h copies between descriptors, or tree_tar.h writes a tar.
 */
#include "runtime/engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/engine/root_view.h"
#include "runtime/engine/tree_move.h"
#include "runtime/engine/tree_tar.h"

/* An end of the copy: root_fd -1 is the host's. */
struct place {
	int root_fd;
	const char *path;
};

static int place_open(const struct place *place, const char *path, int flags)
{
	int fd;

	if (place->root_fd >= 0)
		return path_open_in_root(place->root_fd, path, (uint64_t)flags, 0);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* "/a/b/": "b"; "" where there is no name in it. */
static void last_name(const char *path, char ret[static NAME_MAX + 1])
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	snprintf(ret, NAME_MAX + 1, "%.*s", (int)(end - start), path + start);
	if (!path_is_name(ret))
		*ret = '\0';
}

/* The folder that holds the last name. */
static int open_parent(const struct place *place, struct err *err)
{
	_cleanup_free_ char *path = strdup(place->path);
	char *slash;
	int fd;

	if (!path)
		return err_set(err, ENOMEM, "copy");
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';)
		path[--n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		slash[1] = '\0';
	fd = place_open(place,
			slash		      ? path
			: place->root_fd >= 0 ? "/"
					      : ".",
			O_RDONLY | O_DIRECTORY);
	return fd < 0 ? err_set(err, -fd, "open the folder of %s", place->path) : fd;
}

static bool is_content(const char *path)
{
	size_t len = strlen(path);

	return strcmp(path, ".") == 0 || strcmp(path, "/") == 0 ||
	       (len >= 2 && strcmp(path + len - 2, "/.") == 0);
}

static int copy_between(const struct tree_move *move, const struct place *from, bool follow,
			const struct place *to, struct err *err)
{
	_cleanup_fd_ int source = place_open(from, from->path, O_PATH | (follow ? 0 : O_NOFOLLOW));
	_cleanup_fd_ int target = -1;
	char name[NAME_MAX + 1];
	struct stat st;
	bool folder;

	if (source < 0 || fstat(source, &st) < 0)
		return err_set(err, source < 0 ? -source : errno, "open %s", from->path);
	folder = S_ISDIR(st.st_mode);
	target = place_open(to, to->path, O_RDONLY | O_DIRECTORY);
	if (target >= 0) {
		if (folder && is_content(from->path))
			return tree_move_content(move, source, target, err);
		last_name(from->path, name);
		return *name ? tree_move_entry(move, source, target, name, err)
			     : err_say(err, EINVAL, "%s has no name to be copied under",
				       from->path);
	}
	last_name(to->path, name);
	if (!*name || (!folder && to->path[strlen(to->path) - 1] == '/'))
		return err_set(err, -target, "open folder %s", to->path);
	target = open_parent(to, err);
	return target < 0 ? target : tree_move_entry(move, source, target, name, err);
}

static int write_tar(const struct engine_copy *copy, const struct root_view *view,
		     const struct place *inside, struct err *err)
{
	const struct tree_tar_options o = { .out_fd = copy->tar_fd, .shift = view->shift };
	_cleanup_fd_ int source =
		place_open(inside, inside->path, O_PATH | (copy->follow ? 0 : O_NOFOLLOW));
	char name[NAME_MAX + 1];

	if (source < 0)
		return err_set(err, -source, "open %s", inside->path);
	last_name(inside->path, name);
	return tree_tar_write(&o, source, is_content(inside->path) ? "" : name, err);
}

/* What we make in a mount whose ids are mapped has to be somebody's who is there, before it gets
 * its owner; and what we may goes on all the same. For the rest of this process. */
static int become(uint32_t id, struct err *err)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return err_set(err, errno, "keep capabilities");
	setfsgid(id);
	setfsuid(id);
	return 0;
}

static int copy_in_root(const void *data, const struct root_view *view, struct err *err)
{
	const struct engine_copy *copy = data;
	uint32_t base = (uint32_t)-view->shift;
	const struct place inside = { view->root_fd, copy->inside },
			   outside = { -1, copy->outside };
	const struct tree_move move = {
		.keep_owner = copy->keep_owner,
		.owner_uid = copy->into ? base : geteuid(),
		.owner_gid = copy->into ? base : getegid(),
		.shift = copy->into ? -view->shift : view->shift,
	};

	if (copy->into && base)
		err_try(become(base, err));
	if (!copy->outside)
		return write_tar(copy, view, &inside, err);
	return copy->into ? copy_between(&move, &outside, copy->follow, &inside, err)
			  : copy_between(&move, &inside, copy->follow, &outside, err);
}

int engine_copy(struct engine *engine, const struct engine_container *container,
		const struct engine_copy *copy, struct err *err)
{
	return root_view_run(engine, container, true, copy_in_root, copy, err);
}

static int export_root(const void *data, const struct root_view *view, struct err *err)
{
	const struct tree_tar_options o = {
		.out_fd = *(const int *)data,
		.shift = view->shift,
		.one_mount = true,
	};

	return tree_tar_write(&o, view->root_fd, "", err);
}

int engine_export(struct engine *engine, const struct engine_container *container, int out_fd,
		  struct err *err)
{
	return root_view_run(engine, container, false, export_root, &out_fd, err);
}
