/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store on disk: its root, version and lock.
 *
 * The version file is written last when a store is made and read first when one is opened, so a
 * store that has it has all its folders. The folders of content and layers are root's alone: an
 * unpacked image may hold setuid programs that nobody on the host should reach by path.
 */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "storage/disk.h"

#define STORE_VERSION 1

static const char *const folder_names[STORE_FOLDERS] = {
	[STORE_CONTENT] = "content/sha256",
	[STORE_CONTENT_TMP] = "content/tmp",
	[STORE_LAYERS] = "layers",
	[STORE_LAYERS_TMP] = "layers/tmp",
	[STORE_LINKS] = "l",
	[STORE_IMAGES] = "images",
};

int store_set_error(struct err *err, const char *root, int code, const char *fmt, ...)
{
	char what[ERR_TEXT_MAX];
	va_list ap;

	if (code == ENOSPC || code == EDQUOT)
		return err_say(
			err, code,
			"No space left on the disk of %s: free some there, or choose a folder on another disk with --root",
			root);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, code, "%s", what);
}

static int make_folders(struct store *store, struct err *err)
{
	char text[16];

	/* A parent is made with the mode of its child. */
	if (dir_create(store->root_fd, "content", 0700, err) < 0)
		return err_add(err, "store %s", store->root);
	for (int i = 0; i < STORE_FOLDERS; i++)
		if (dir_create(store->root_fd, folder_names[i], 0700, err) < 0)
			return err_add(err, "store %s", store->root);
	snprintf(text, sizeof(text), "%d\n", STORE_VERSION);
	if (file_replace(store->root_fd, "version", text, strlen(text), 0644, true, err) < 0)
		return err_add(err, "store %s", store->root);
	return 0;
}

static int check_version(struct store *store, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char *end;
	long version;
	int r;

	if (faccessat(store->root_fd, "version", F_OK, 0) < 0 && errno == ENOENT)
		return make_folders(store, err);
	r = file_read(store->root_fd, "version", 64, &text, NULL, err);
	if (r < 0)
		return err_add(err, "store %s", store->root);
	version = strtol(text, &end, 10);
	if (end == text || *end != '\n' || version < 1)
		return err_say(err, EINVAL, "%s/version holds no version of a store", store->root);
	if (version > STORE_VERSION)
		return err_say(
			err, EPROTONOSUPPORT,
			"the store %s has version %ld, made by a newer Cellar; this one knows version %d",
			store->root, version, STORE_VERSION);
	return 0;
}

/* Its path stands in overlay's options, where these characters have meanings of their own. */
static int absolute_root(const char *root, char **ret, struct err *err)
{
	char cwd[PATH_MAX], path[PATH_MAX];
	char *copy;

	if (*root == '\0')
		return err_say(err, EINVAL, "the path of the store is empty");
	if (*root != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_set(err, errno, "find the current folder");
	if (path_join(path, sizeof(path), *root == '/' ? "" : cwd, root, err) < 0)
		return -ENAMETOOLONG;
	path_clean(path);
	if (strpbrk(path, ",:\\\n\""))
		return err_say(
			err, EINVAL,
			"store %s: its path must be free of ',', ':', '\\', '\"' and line breaks, which overlay mounts can't take",
			path);
	copy = strdup(path);
	if (!copy)
		return err_set(err, ENOMEM, "open store %s", path);
	*ret = copy;
	return 0;
}

int store_open(const char *root, struct store **ret, struct err *err)
{
	_cleanup_store_ struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return err_set(err, ENOMEM, "open store %s", root);
	store->root_fd = -1;
	for (int i = 0; i < STORE_FOLDERS; i++)
		store->folder_fds[i] = -1;
	r = absolute_root(root, &store->root, err);
	if (r < 0)
		return r;
	/* Others may walk through: containers in user namespaces live below. */
	r = dir_create(AT_FDCWD, store->root, 0711, err);
	if (r == 0)
		r = store->root_fd = dir_open(AT_FDCWD, store->root, err);
	if (r < 0)
		return err_add(err, "store");
	r = check_version(store, err);
	if (r < 0)
		return r;
	*ret = take_ptr(store);
	return 0;
}

struct store *store_close(struct store *store)
{
	if (store) {
		for (int i = 0; i < STORE_FOLDERS; i++)
			cleanup_fd(&store->folder_fds[i]);
		cleanup_fd(&store->root_fd);
		free(store->root);
		free(store);
	}
	return NULL;
}

int store_fd(const struct store *store)
{
	return store->root_fd;
}

const char *store_root(const struct store *store)
{
	return store->root;
}

int store_folder(struct store *store, enum store_folder folder, struct err *err)
{
	int *fd = &store->folder_fds[folder];

	if (*fd < 0) {
		int r = dir_open(store->root_fd, folder_names[folder], err);

		if (r < 0)
			return err_add(err, "store %s", store->root);
		*fd = r;
	}
	return *fd;
}

int store_hold(struct store *store, struct err *err)
{
	int r = lock_file(store->root_fd, "lock", true, false, err);

	return r < 0 ? err_add(err, "store %s", store->root) : r;
}

int store_lock_all(struct store *store, bool nowait, struct err *err)
{
	int r = lock_file(store->root_fd, "lock", false, nowait, err);

	return r < 0 ? err_add(err, "store %s", store->root) : r;
}
