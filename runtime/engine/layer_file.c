/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A path is walked one component at a time with the clean path walked so far
 * ("etc") and the layers where that folder counts, as a bit set. For each component the layers are
 * asked from the top: what is no folder decides at once; folders are collected until one is
 * opaque. A symlink puts its target in front of what is left of the path, and the walk starts at
 * the root (or at the folder of the link) again. The path walked so far never contains a symlink,
 * so plain openat calls with O_NOFOLLOW at the end cannot leave the layer.
 */
#include "runtime/engine/layer_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "storage/opaque.h"

#define LAYERS_MAX 512
#define SYMLINKS_MAX 40

struct walk {
	const char *const *folders;
	size_t count;
	char done[PATH_MAX];	 /* the folder reached, "" or "a/b" */
	char rest[PATH_MAX];	 /* components to come */
	bool merged[LAYERS_MAX]; /* layers that make up the folder reached */
	unsigned symlinks;
};

enum found { FOUND_NOTHING, FOUND_FOLDER, FOUND_FILE, FOUND_SYMLINK };

static int layer_path(const struct walk *w, size_t layer, const char *name,
		      char buf[static PATH_MAX])
{
	int n = snprintf(buf, PATH_MAX, "%s/%s%s%s", w->folders[layer], w->done,
			 w->done[0] ? "/" : "", name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool is_opaque(const char *path)
{
	char value;

	return lgetxattr(path, opaque_mark(), &value, 1) == 1 && value == 'y';
}

/* Back at the root: all layers from the top to one whose root is opaque. */
static void restart(struct walk *w)
{
	bool hidden = false;

	w->done[0] = '\0';
	for (size_t i = w->count; i-- > 0;) {
		w->merged[i] = !hidden;
		hidden = hidden || is_opaque(w->folders[i]);
	}
}

/* Looks name up in the folder reached. For a file or symlink ret_path is where it is; for a folder
 * merged[] becomes its layers. */
static enum found look_up(struct walk *w, const char *name, char ret_path[static PATH_MAX])
{
	bool merged[LAYERS_MAX] = { 0 }, folder = false;
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = w->count; i-- > 0;) {
		if (!w->merged[i] || layer_path(w, i, name, path) < 0 || lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			merged[i] = folder = true;
			if (is_opaque(path))
				break;
			continue;
		}
		if (folder)
			break; /* a folder above hides it */
		if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
			return FOUND_NOTHING; /* a whiteout, too */
		memcpy(ret_path, path, sizeof(path));
		return S_ISREG(st.st_mode) ? FOUND_FILE : FOUND_SYMLINK;
	}
	if (folder)
		memcpy(w->merged, merged, sizeof(merged));
	return folder ? FOUND_FOLDER : FOUND_NOTHING;
}

/* Puts the target of a symlink in front of the rest. */
static int follow(struct walk *w, const char *link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n <= 0 || ++w->symlinks > SYMLINKS_MAX)
		return -ENOENT;
	target[n] = '\0';
	/* A relative target starts at the folder reached: walk there once more. */
	if (target[0] == '/')
		n = snprintf(rest, sizeof(rest), "%s/%s", target, w->rest);
	else
		n = snprintf(rest, sizeof(rest), "%s/%s/%s", w->done, target, w->rest);
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, sizeof(rest));
	restart(w);
	return 0;
}

/* ".." of the folder reached: walk to its parent from the root, as merged[] cannot go back. */
static void go_up(struct walk *w)
{
	char rest[PATH_MAX], *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
	else
		w->done[0] = '\0';
	/* Both are pieces of one path that fitted. */
	if (snprintf(rest, sizeof(rest), "%s/%s", w->done, w->rest) >= PATH_MAX)
		rest[0] = '\0';
	memcpy(w->rest, rest, sizeof(rest));
	restart(w);
}

/* Takes the next component off the rest; false at its end. */
static bool next_name(struct walk *w, char name[static NAME_MAX + 1])
{
	const char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");

	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(w->rest, start + len, strlen(start + len) + 1);
	return true;
}

static int enter(struct walk *w, const char *name)
{
	size_t used = strlen(w->done);
	int n = snprintf(w->done + used, sizeof(w->done) - used, "%s%s", used ? "/" : "", name);

	return (size_t)n < sizeof(w->done) - used ? 0 : -ENAMETOOLONG;
}

static int find_file(struct walk *w, char ret_path[static PATH_MAX])
{
	char name[NAME_MAX + 1];
	int r = 0;

	while (r == 0 && next_name(w, name)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			go_up(w);
			continue;
		}
		switch (look_up(w, name, ret_path)) {
		case FOUND_FOLDER:
			r = enter(w, name);
			break;
		case FOUND_SYMLINK:
			r = follow(w, ret_path);
			break;
		case FOUND_FILE:
			return w->rest[strspn(w->rest, "/")] ? -ENOENT : 0;
		case FOUND_NOTHING:
			return -ENOENT;
		}
	}
	return r < 0 ? r : -ENOENT;
}

int layer_file_read(const char *const *folders, size_t count, const char *path, size_t limit,
		    char **ret, struct err *err)
{
	struct walk walk = { .folders = folders, .count = count };
	_cleanup_fd_ int fd = -1;
	char found[PATH_MAX];
	int r;

	if (count > LAYERS_MAX)
		return err_say(err, E2BIG, "more than %d layers", LAYERS_MAX);
	if (snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "read %s of the image", path);
	restart(&walk);
	r = find_file(&walk, found);
	if (r < 0)
		return err_set(err, -r, "read %s of the image", path);
	fd = open(found, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno, "open %s", found);
	r = fd_read_all(fd, limit, ret, NULL, err);
	return r < 0 ? err_add(err, "read %s", found) : 0;
}
