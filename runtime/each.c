/* SPDX-License-Identifier: Apache-2.0 */
/* All containers below a root. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/container.h"

struct names {
	char **items;
	size_t count;
};

static void names_deinit(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int names_add(struct names *names, const char *name)
{
	char **items = realloc(names->items, (names->count + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	names->items = items;
	items[names->count] = strdup(name);
	if (!items[names->count])
		return -ENOMEM;
	names->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(const char *root, struct names *names, struct err *err)
{
	_cleanup_dir_ DIR *dir = opendir(root);
	struct dirent *e;

	if (!dir)
		return errno == ENOENT ? 0 : err_set(err, errno, "open folder %s", root);
	while ((e = readdir(dir)))
		if ((e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) &&
		    container_id_is_valid(e->d_name) && names_add(names, e->d_name) < 0)
			return err_set(err, ENOMEM, "read folder %s", root);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), by_name);
	return 0;
}

int container_each(const char *root, int (*fn)(void *data, struct container *container), void *data,
		   struct err *err)
{
	_cleanup_(names_deinit) struct names names = { 0 };
	int r;

	if (!root)
		root = CONTAINER_ROOT_DEFAULT;
	r = read_names(root, &names, err);
	for (size_t i = 0; i < names.count && r >= 0; i++) {
		_cleanup_container_ struct container *c = NULL;
		struct err why = { 0 };

		r = container_open(root, names.items[i], &c, &why);
		/* Deleted since the folder was read: no news. */
		if (r < 0 && r != -ENOENT)
			log_warn("%s", why.text);
		r = c ? fn(data, c) : 0;
	}
	return r < 0 ? r : 0;
}
