/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacked layers: made below layers/tmp, synced, renamed to their chain id, found by short links.
 */
#include "storage/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "storage/content.h"
#include "storage/disk.h"

#define LINK_DIGITS 8

void layer_chain_id(const char *parent, const char *diff_id, char ret[static DIGEST_HEX_SIZE])
{
	char text[2 * DIGEST_TEXT_SIZE];

	if (!parent) {
		memcpy(ret, diff_id + strlen("sha256:"), DIGEST_HEX_SIZE);
		return;
	}
	snprintf(text, sizeof(text), "sha256:%s %s", parent, diff_id);
	digest_of(text, strlen(text), ret);
}

int layer_find(struct store *store, const char *chain_id, struct err *err)
{
	int folder = store_folder(store, STORE_LAYERS, err);

	if (folder < 0)
		return folder;
	if (faccessat(folder, chain_id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_set(err, errno, "look for layer %s", chain_id);
}

int layer_open(struct store *store, const char *chain_id, struct err *err)
{
	int folder = store_folder(store, STORE_LAYERS, err), fd;
	char path[DIGEST_HEX_SIZE + 8];

	if (folder < 0)
		return folder;
	snprintf(path, sizeof(path), "%s/fs", chain_id);
	fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_set(err, errno, "open layer %s", chain_id) : fd;
}

int layer_begin(struct store *store, struct tmp *tmp, int *ret_fs_fd, struct err *err)
{
	int folder, fd, r = content_sweep(store, err);

	if (r < 0)
		return r;
	folder = store_folder(store, STORE_LAYERS_TMP, err);
	if (folder < 0)
		return folder;
	r = tmp_create_folder(folder, tmp);
	if (r < 0)
		return store_set_error(err, store->root, -r, "create a layer");
	if (mkdirat(tmp->fd, "fs", 0755) < 0)
		return store_set_error(err, store->root, errno, "create a layer");
	fd = openat(tmp->fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* Whatever the umask was. */
	if (fd < 0 || fchmod(fd, 0755) < 0) {
		r = errno;
		cleanup_fd(&fd);
		return store_set_error(err, store->root, r, "create a layer");
	}
	*ret_fs_fd = fd;
	return 0;
}

int layer_commit(struct store *store, struct tmp *tmp, const char *chain_id, const char *diff_id,
		 struct err *err)
{
	int folder = store_folder(store, STORE_LAYERS, err), r;

	if (folder < 0)
		return folder;
	/* Closes the files with the tree's: one syncfs is far cheaper than an fsync for each. */
	r = file_replace(tmp->fd, "diff", diff_id, strlen(diff_id), 0600, false, NULL);
	if (r == 0 && syncfs(tmp->fd) < 0)
		r = -errno;
	if (r == 0)
		r = tmp_publish(tmp, folder, chain_id);
	if (r == -EEXIST)
		return 0;
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	if (r < 0)
		return store_set_error(err, store->root, -r, "put layer %s in place", chain_id);
	return 0;
}

int layer_remove(struct store *store, const char *chain_id, struct err *err)
{
	int folder = store_folder(store, STORE_LAYERS, err), tmp, r;

	if (folder < 0)
		return folder;
	tmp = store_folder(store, STORE_LAYERS_TMP, err);
	if (tmp < 0)
		return tmp;
	r = tmp_bury(tmp, folder, chain_id, err);
	return r < 0 ? err_add(err, "layer") : 0;
}

/* 1: dirfd/name leads to target, 0: there is none, -EEXIST: it leads elsewhere. */
static int check_link(int dirfd, const char *name, const char *target)
{
	char text[128];
	ssize_t n = readlinkat(dirfd, name, text, sizeof(text));

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	if ((size_t)n == strlen(target) && memcmp(text, target, (size_t)n) == 0)
		return 1;
	return -EEXIST;
}

int layer_link(struct store *store, const char *chain_id, char ret[static LAYER_LINK_SIZE],
	       struct err *err)
{
	int folder = store_folder(store, STORE_LINKS, err);
	char name[DIGEST_HEX_SIZE], target[DIGEST_HEX_SIZE + 16];

	if (folder < 0)
		return folder;
	snprintf(target, sizeof(target), "../layers/%s/fs", chain_id);
	/* Two chain ids may begin alike: the later one gets a longer link. */
	for (int digits = LINK_DIGITS; digits <= 64; digits++) {
		int r;

		snprintf(name, sizeof(name), "%.*s", digits, chain_id);
		r = check_link(folder, name, target);
		if (r == 0)
			r = symlinkat(target, folder, name) == 0 ? 1 : -errno;
		if (r == -EEXIST)
			r = check_link(folder, name, target);
		if (r == -EEXIST)
			continue;
		if (r < 0)
			return store_set_error(err, store->root, -r, "link layer %s", chain_id);
		snprintf(ret, LAYER_LINK_SIZE, "l/%s", name);
		return 0;
	}
	return err_say(err, EEXIST, "layer %s can't be linked in %s/l", chain_id, store->root);
}

int layer_sweep_links(struct store *store, struct err *err)
{
	int folder = store_folder(store, STORE_LINKS, err), copy;
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;

	if (folder < 0)
		return folder;
	copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || !(dir = fdopendir(copy))) {
		cleanup_fd(&copy);
		return err_set(err, errno, "read folder %s/l", store->root);
	}
	while ((e = readdir(dir)))
		if (e->d_type == DT_LNK && faccessat(folder, e->d_name, F_OK, 0) < 0 &&
		    errno == ENOENT)
			unlinkat(folder, e->d_name, 0);
	return 0;
}
