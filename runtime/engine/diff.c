/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. What a container wrote lies in upper/; the image is mounted beside it,
 * read-only, by a child of ours (mount_child.h). Both are walked side by side, by descriptors:
 * an entry of upper/ that the image has not was added, a whiteout (a character device 0:0) stands
 * for what was deleted, and a folder that is marked as opaque hides all that the image has there.
 */
#include "runtime/engine/diff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/layout.h"
#include "runtime/mount_child.h"
#include "storage/opaque.h"
#include "storage/store.h"

#define DEPTH_MAX 128 /* four descriptors each */
#define FLUSH_BYTES (64u << 10)

struct job {
	const struct engine_container *container;
	const char *root;    /* of the store */
	const char *options; /* of the image's overlay, or its single folder */
	bool single;
	int out_fd;
};

struct walk {
	const struct job *job;
	struct strbuf lines;
};

static int flush(struct walk *w, struct err *err)
{
	int r = strbuf_ok(&w->lines) ? fd_write_all(w->job->out_fd, w->lines.data, w->lines.len)
				     : -ENOMEM;

	strbuf_deinit(&w->lines);
	w->lines = (struct strbuf){ 0 };
	return r < 0 ? err_set(err, -r, "write the changes") : 0;
}

/* Line ends in a name would look like another line. */
static int tell(struct walk *w, char kind, const char *folder, const char *name, struct err *err)
{
	size_t start = w->lines.len;

	strbuf_addf(&w->lines, "%c %s/%s", kind, folder, name);
	for (size_t i = start; strbuf_ok(&w->lines) && i < w->lines.len; i++)
		if ((unsigned char)w->lines.data[i] < ' ' || w->lines.data[i] == 0x7f)
			w->lines.data[i] = '?';
	strbuf_adds(&w->lines, "\n");
	return w->lines.len < FLUSH_BYTES && strbuf_ok(&w->lines) ? 0 : flush(w, err);
}

static bool is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, opaque_mark(), &value, 1) == 1 && value == 'y';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **items;
	size_t count, size;
};

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int add_name(struct names *names, const char *name)
{
	if (names->count == names->size) {
		size_t size = names->size ? names->size * 2 : 16;
		char **items = reallocarray(names->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		names->items = items;
		names->size = size;
	}
	names->items[names->count] = strdup(name);
	return names->items[names->count] ? (names->count++, 0) : -ENOMEM;
}

/* In order. but_of: those that are there, too, are left out; -1. */
static int read_names(int folder_fd, int but_of, struct names *ret, struct err *err)
{
	_cleanup_fd_ int fd = dir_open(folder_fd, ".", err);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return fd < 0 ? fd : err_set(err, errno, "read a folder");
	take_fd(&fd);
	while (r == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (but_of >= 0 &&
		     faccessat(but_of, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0))
			continue;
		r = add_name(ret, entry->d_name);
	}
	if (r < 0)
		return err_set(err, -r, "read a folder");
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
	return 0;
}

/* All that the image has in a folder that hides it. */
static int tell_hidden(struct walk *w, int upper, int lower, const char *path, struct err *err)
{
	_cleanup_(names_free) struct names names = { 0 };

	err_try(read_names(lower, upper, &names, err));
	for (size_t i = 0; i < names.count; i++)
		err_try(tell(w, 'D', path, names.items[i], err));
	return 0;
}

static int walk_folder(struct walk *w, int upper, int lower, const char *path, unsigned depth,
		       struct err *err);

static int look_at(struct walk *w, int upper, int lower, const char *path, const char *name,
		   unsigned depth, struct err *err)
{
	_cleanup_fd_ int here = openat(upper, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), there = -1;
	_cleanup_free_ char *inside = NULL;
	struct stat st, old;
	bool was;

	if (here < 0 || fstat(here, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open %s/%s", path, name);
	there = lower < 0 ? -1 : openat(lower, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	was = there >= 0 && fstat(there, &old) == 0;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
		return was ? tell(w, 'D', path, name, err) : 0;
	err_try(tell(w, was ? 'C' : 'A', path, name, err));
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (asprintf(&inside, "%s/%s", path, name) < 0)
		return err_set(err, ENOMEM, "look for changes");
	return walk_folder(w, here, was && S_ISDIR(old.st_mode) ? there : -1, inside, depth + 1,
			   err);
}

static int walk_folder(struct walk *w, int upper_at, int lower, const char *path, unsigned depth,
		       struct err *err)
{
	_cleanup_fd_ int upper = dir_open(upper_at, ".", err);
	_cleanup_(names_free) struct names names = { 0 };

	if (upper < 0)
		return upper;
	if (depth == DEPTH_MAX)
		return err_say(err, ELOOP, "folders are nested too deep");
	err_try(read_names(upper, -1, &names, err));
	if (lower >= 0 && is_opaque(upper)) {
		err_try(tell_hidden(w, upper, lower, path, err));
		lower = -1;
	}
	for (size_t i = 0; i < names.count; i++)
		err_try(look_at(w, upper, lower, path, names.items[i], depth, err));
	return 0;
}

/* Returns the image's root folder; in the child. */
static int open_image(const struct job *job, struct err *err)
{
	char place[PATH_MAX];

	if (chdir(job->root) < 0)
		return err_set(err, errno, "enter folder %s", job->root);
	if (job->single)
		return dir_open(AT_FDCWD, job->options, err);
	err_try(layout_path(place, job->container->dir, LAYOUT_ROOTFS, NULL, err));
	if (mount("overlay", place, "overlay", MS_RDONLY | MS_NOEXEC | MS_NODEV, job->options) < 0)
		return err_set(err, errno, "mount the image");
	return dir_open(AT_FDCWD, place, err);
}

static int compare(const void *data, struct err *err)
{
	const struct job *job = data;
	_cleanup_fd_ int dir = dir_open(AT_FDCWD, job->container->dir, err), upper = -1, image = -1;
	struct walk w = { .job = job };
	int r;

	if (dir < 0)
		return dir;
	upper = openat(dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* It never ran. */
	if (upper < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open what it wrote");
	image = open_image(job, err);
	if (image < 0)
		return image;
	r = walk_folder(&w, upper, image, "", 0, err);
	if (r == 0 && w.lines.len)
		r = flush(&w, err);
	strbuf_deinit(&w.lines);
	return r;
}

int engine_diff(struct engine *engine, const struct engine_container *c, int out_fd,
		struct err *err)
{
	struct store_image image = { .layers = c->layers };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store *store = NULL;
	struct job job = { .container = c, .root = engine->root, .out_fd = out_fd };
	int r = arena ? store_open(engine->root, &store, err)
		      : err_set(err, ENOMEM, "look for changes");

	while (image.layers && image.layers[image.layers_count])
		image.layers_count++;
	if (r == 0)
		r = store_overlay_lowers(store, &image, arena, &job.options, err);
	job.single = r == 1;
	if (r >= 0)
		r = mount_child_run(compare, &job, err);
	return r < 0 ? err_add(err, "container %s", c->name) : 0;
}
