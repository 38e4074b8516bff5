/* SPDX-License-Identifier: Apache-2.0 */
/* The overlay of a container: its option string. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "storage/bottom.h"
#include "storage/disk.h"
#include "storage/layers.h"
#include "storage/opaque.h"
#include "storage/store.h"

/* An image whose root folder is opaque (".wh..wh..opq" at the top of the tar) hides all below;
 * overlay itself looks at no such mark on the root of a layer. */
static bool is_opaque(int fs_fd)
{
	char value;

	return fgetxattr(fs_fd, opaque_mark(), &value, 1) == 1 && value == 'y';
}

/* prefix stands in front of each short path: "ROOT/" or "". Returns how many there are. */
static int add_lower(struct store *store, const struct store_image *image, const char *prefix,
		     struct strbuf *sb, struct stat *ret_root, struct err *err)
{
	int count = 0;

	for (size_t i = image->layers_count; i-- > 0;) {
		_cleanup_fd_ int fs = layer_open(store, image->layers[i], err);
		char link[LAYER_LINK_SIZE];

		if (fs < 0)
			return fs;
		if (i == image->layers_count - 1 && fstat(fs, ret_root) < 0)
			return err_set(err, errno, "read layer %s", image->layers[i]);
		err_try(layer_link(store, image->layers[i], link, err));
		strbuf_addf(sb, "%s%s%s", i == image->layers_count - 1 ? "lowerdir=" : ":", prefix,
			    link);
		count++;
		if (is_opaque(fs))
			return count;
	}
	err_try(bottom_make(store, err));
	strbuf_addf(sb, ":%s" BOTTOM_LAYER, prefix);
	return count + 1;
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
	char prefix[PATH_MAX];
	const char *options;

	if (*container_dir != '/' || strpbrk(container_dir, ",:\\\n\""))
		return err_say(
			err, EINVAL,
			"container folder %s: its path must be absolute and free of ',', ':', '\\', '\"' and line breaks, which overlay mounts can't take",
			container_dir);
	if (image->layers_count == 0)
		return err_say(err, EINVAL, "image %s has no layers", image->name);
	if (snprintf(prefix, sizeof(prefix), "%s/", store->root) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "mount image %s", image->name);
	if (add_lower(store, image, prefix, &sb, &root, err) < 0)
		return err_add(err, "image %s", image->name);
	err_try(make_upper(container_dir, &root, err));
	strbuf_addf(&sb, ",upperdir=%s/upper,workdir=%s/work%s%s", container_dir, container_dir,
		    is_volatile ? ",volatile" : "", opaque_option());
	options = strbuf_ok(&sb) ? arena_strdup(arena, sb.data) : NULL;
	if (!options)
		return err_set(err, ENOMEM, "mount image %s", image->name);
	*ret_options = options;
	return 0;
}

int store_overlay_lowers(struct store *store, const struct store_image *image, struct arena *arena,
			 const char **ret_options, struct err *err)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	const char *options;
	struct stat root;
	int count;

	if (image->layers_count == 0)
		return err_say(err, EINVAL, "image %s has no layers", image->name);
	count = add_lower(store, image, "", &sb, &root, err);
	if (count < 0)
		return err_add(err, "image %s", image->name);
	if (count > 1)
		strbuf_adds(&sb, opaque_option());
	options = strbuf_ok(&sb) ? arena_strdup(arena, sb.data) : NULL;
	if (!options)
		return err_set(err, ENOMEM, "mount image %s", image->name);
	*ret_options = count > 1 ? options : options + strlen("lowerdir=");
	return count > 1 ? 0 : 1;
}
