/* SPDX-License-Identifier: Apache-2.0 */
/* What a container takes from its image: layers, and who its user is. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/layer_file.h"
#include "runtime/engine/platform.h"

#define PASSWD_LIMIT (4 << 20)

static int open_image(struct creation *c, struct err *err)
{
	int r = store_open(c->engine->root, &c->store, err);

	if (r < 0)
		return r;
	c->hold_fd = store_hold(c->store, err);
	if (c->hold_fd < 0)
		return c->hold_fd;
	return store_image_find(c->store, c->options->image, &c->image, err);
}

/* The text in the arena; NULL where the image has no such file. */
static int read_image_file(struct creation *c, const char *path, const char **ret, struct err *err)
{
	const struct store_image *image = c->image;
	const char **folders = arena_calloc(c->arena, image->layers_count + 1, sizeof(*folders));
	_cleanup_free_ char *text = NULL;
	int r;

	if (!folders)
		return err_set(err, ENOMEM, "read %s of the image", path);
	for (size_t i = 0; i < image->layers_count; i++) {
		folders[i] = arena_printf(c->arena, "%s/layers/%s/fs", c->engine->root,
					  image->layers[i]);
		if (!folders[i])
			return err_set(err, ENOMEM, "read %s of the image", path);
	}
	r = layer_file_read(folders, image->layers_count, path, PASSWD_LIMIT, &text, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	*ret = arena_strdup(c->arena, text);
	return *ret ? 0 : err_set(err, ENOMEM, "read %s of the image", path);
}

static int resolve_user(struct creation *c, struct err *err)
{
	const char *spec = c->options->user ? c->options->user : c->image->config.user;
	struct user_files files = { 0 };
	int r = read_image_file(c, "etc/passwd", &files.passwd, err);

	if (r == 0)
		r = read_image_file(c, "etc/group", &files.group, err);
	if (r == 0)
		r = user_resolve(spec, &files, c->arena, &c->user, err);
	return r < 0 ? r : user_add_groups(c->options->group_add, &files, c->arena, &c->user, err);
}

int creation_find_image(struct creation *c, struct err *err)
{
	int r = open_image(c, err);

	if (r == 0 && c->options->platform)
		r = platform_check_image(c->options->platform, c->image->name, &c->image->config,
					 err);
	return r < 0 ? r : resolve_user(c, err);
}
