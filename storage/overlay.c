/* SPDX-License-Identifier: Apache-2.0 */
/* The overlay of a container: its option string, and mounting one of any length. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "storage/disk.h"
#include "storage/layers.h"
#include "storage/store.h"

/* mount(2) takes a page, the last byte of which must be NUL. */
#define OPTIONS_MAX 4095

/* An image whose root folder is opaque (".wh..wh..opq" at the top of the tar) hides all below;
 * overlay itself looks at no such mark on the root of a layer. */
static bool is_opaque(int fs_fd)
{
	char value;

	return fgetxattr(fs_fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static int add_lower(struct store *store, const struct store_image *image, struct strbuf *sb,
		     struct stat *ret_root, struct err *err)
{
	for (size_t i = image->layers_count; i-- > 0;) {
		_cleanup_fd_ int fs = layer_open(store, image->layers[i], err);
		char link[LAYER_LINK_SIZE];

		if (fs < 0)
			return fs;
		if (i == image->layers_count - 1 && fstat(fs, ret_root) < 0)
			return err_set(err, errno, "read layer %s", image->layers[i]);
		err_try(layer_link(store, image->layers[i], link, err));
		strbuf_addf(sb, "%s%s/%s", i == image->layers_count - 1 ? "lowerdir=" : ":",
			    store->root, link);
		if (is_opaque(fs))
			break;
	}
	return 0;
}

static int make_upper(const char *container_dir, const struct stat *root, struct err *err)
{
	_cleanup_fd_ int dir = dir_open(AT_FDCWD, container_dir, err), upper = -1;

	if (dir < 0)
		return dir;
	if (mkdirat(dir, "work", 0700) < 0 && errno != EEXIST)
		return store_set_error(err, container_dir, errno, "create folder %s/work",
				       container_dir);
	if (mkdirat(dir, "upper", 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return store_set_error(err, container_dir, errno, "create folder %s/upper",
				       container_dir);
	}
	upper = openat(dir, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (upper < 0 || fchown(upper, root->st_uid, root->st_gid) < 0 ||
	    fchmod(upper, root->st_mode & 07777) < 0)
		return err_set(err, errno, "prepare folder %s/upper", container_dir);
	return 0;
}

int store_overlay_options(struct store *store, const struct store_image *image,
			  const char *container_dir, bool is_volatile, struct arena *arena,
			  const char **ret_options, struct err *err)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	struct stat root = { .st_mode = 0755 };
	const char *options;

	if (*container_dir != '/' || strpbrk(container_dir, ",:\\\n\""))
		return err_say(
			err, EINVAL,
			"container folder %s: its path must be absolute and free of ',', ':', '\\', '\"' and line breaks, which overlay mounts can't take",
			container_dir);
	if (image->layers_count == 0)
		return err_say(err, EINVAL, "image %s has no layers", image->name);
	if (add_lower(store, image, &sb, &root, err) < 0)
		return err_add(err, "image %s", image->name);
	err_try(make_upper(container_dir, &root, err));
	strbuf_addf(&sb, ",upperdir=%s/upper,workdir=%s/work%s", container_dir, container_dir,
		    is_volatile ? ",volatile" : "");
	options = strbuf_ok(&sb) ? arena_strdup(arena, sb.data) : NULL;
	if (!options)
		return err_set(err, ENOMEM, "mount image %s", image->name);
	*ret_options = options;
	return 0;
}

/* The value of lowerdir and its length; NULL where there is none. */
static const char *find_lower(const char *options, size_t *ret_len)
{
	for (const char *p = options; p; p = strchr(p, ',')) {
		if (*p == ',')
			p++;
		if (strncmp(p, "lowerdir=", 9) == 0) {
			*ret_len = strcspn(p + 9, ",");
			return p + 9;
		}
	}
	return NULL;
}

/* Length of the folder, '/' included, that all of a ':'-separated list lie in. */
static size_t shared_folder(const char *list, size_t len)
{
	size_t shared = strcspn(list, ":");
	const char *end = list + len;

	if (shared > len)
		shared = len;
	for (const char *p = list; p < end;) {
		size_t same = 0;

		while (same < shared && p + same < end && p[same] == list[same])
			same++;
		shared = same;
		while (p < end && *p != ':')
			p++;
		p++;
	}
	while (shared > 0 && list[shared - 1] != '/')
		shared--;
	return shared;
}

/* Splits into a folder to stand in and options that name the lower folders from there. */
static int shorten(const char *options, char **ret_folder, char **ret_options, struct err *err)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	size_t len = 0, skip = 0;
	const char *lower = find_lower(options, &len), *end;
	char *folder;

	if (lower)
		skip = shared_folder(lower, len);
	if (skip < 2)
		return err_say(err, E2BIG, "overlay options of %zu bytes: the kernel takes %d",
			       strlen(options), OPTIONS_MAX);
	end = lower + len;
	strbuf_add(&sb, options, (size_t)(lower - options));
	while (lower < end) {
		const char *colon = memchr(lower, ':', (size_t)(end - lower));
		const char *stop = colon ? colon + 1 : end;

		strbuf_add(&sb, lower + skip, (size_t)(stop - lower) - skip);
		lower = stop;
	}
	strbuf_adds(&sb, end);
	if (strbuf_ok(&sb) && sb.len > OPTIONS_MAX)
		return err_say(
			err, E2BIG,
			"overlay options of %zu bytes, shortened to %zu: the kernel takes %d",
			strlen(options), sb.len, OPTIONS_MAX);
	folder = strndup(find_lower(options, &len), skip);
	if (!folder || !strbuf_ok(&sb)) {
		free(folder);
		return err_set(err, ENOMEM, "mount overlay");
	}
	*ret_folder = folder;
	*ret_options = strbuf_take(&sb);
	return 0;
}

static int mount_overlay(const char *options, unsigned long flags, const char *target,
			 struct err *err)
{
	if (mount("overlay", target, "overlay", flags, options) < 0)
		return err_set(err, errno, "mount overlay on %s with %.600s", target, options);
	return 0;
}

int store_overlay_mount(const char *options, unsigned long flags, const char *target,
			struct err *err)
{
	_cleanup_free_ char *folder = NULL, *shorter = NULL;
	_cleanup_fd_ int back = -1;
	int r;

	if (strlen(options) <= OPTIONS_MAX)
		return mount_overlay(options, flags, target, err);
	r = shorten(options, &folder, &shorter, err);
	if (r < 0)
		return r;
	back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back < 0 || chdir(folder) < 0)
		return err_set(err, errno, "change to folder %s", folder);
	r = mount_overlay(shorter, flags, target, err);
	if (fchdir(back) < 0 && r == 0)
		r = err_set(err, errno, "change back from folder %s", folder);
	return r;
}
