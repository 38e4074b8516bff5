/* SPDX-License-Identifier: Apache-2.0 */
/* Containers by name, by id, and all of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/id.h"
#include "runtime/engine/names.h"
#include "runtime/engine/stage.h"

struct id_list {
	char (*ids)[LAYOUT_ID_SIZE];
	size_t count, size;
};

static void id_list_deinit(struct id_list *list)
{
	free(list->ids);
}

static int id_list_add(struct id_list *list, const char *id)
{
	if (list->count == list->size) {
		size_t size = list->size ? 2 * list->size : 64;
		void *ids = realloc(list->ids, size * sizeof(*list->ids));

		if (!ids)
			return -ENOMEM;
		list->ids = ids;
		list->size = size;
	}
	memcpy(list->ids[list->count++], id, LAYOUT_ID_SIZE);
	return 0;
}

/* Ids of which prefix is the beginning. */
static int list_ids(int containers_fd, const char *prefix, struct id_list *ret, struct err *err)
{
	_cleanup_fd_ int fd = dir_open(containers_fd, ".", err);
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return err_set(err, errno, "list containers");
	take_fd(&fd);
	while ((entry = readdir(dir))) {
		if (!id_is_valid(entry->d_name) ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		if (id_list_add(ret, entry->d_name) < 0)
			return err_set(err, ENOMEM, "list containers");
	}
	return 0;
}

static int load_by_id(struct engine *engine, int containers_fd, const char *id,
		      struct engine_container **ret, struct err *err)
{
	_cleanup_fd_ int fd =
		openat(containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "open container %.12s", id);
	return engine_load(engine, fd, id, ret, err);
}

static int not_found(const char *name, struct err *err)
{
	return err_say(err, ENOENT,
		       "container \"%s\": not found; `ctr ps -a` shows the ones there are", name);
}

static int find_by_prefix(struct engine *engine, int containers_fd, const char *prefix,
			  struct engine_container **ret, struct err *err)
{
	_cleanup_(id_list_deinit) struct id_list list = { 0 };
	int r = list_ids(containers_fd, prefix, &list, err);

	if (r < 0)
		return r;
	if (!list.count)
		return not_found(prefix, err);
	if (list.count > 1)
		return err_say(err, ENOTUNIQ,
			       "container \"%s\": %zu ids begin so, among them %.12s and %.12s; "
			       "write more of it",
			       prefix, list.count, list.ids[0], list.ids[1]);
	return load_by_id(engine, containers_fd, list.ids[0], ret, err);
}

int engine_find(struct engine *engine, const char *name, struct engine_container **ret,
		struct err *err)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, err);
	char id[LAYOUT_ID_SIZE];
	int r;

	if (containers_fd < 0)
		return containers_fd == -ENOENT ? not_found(name, err) : containers_fd;
	if (names_find(containers_fd, name, id) == 0) {
		r = load_by_id(engine, containers_fd, id, ret, err);
		/* A link without its container is a crash's. */
		if (r != -ENOENT)
			return r;
		err_clear(err);
	}
	if (!id_is_prefix(name))
		return not_found(name, err);
	return find_by_prefix(engine, containers_fd, name, ret, err);
}

static int by_creation(const void *a, const void *b)
{
	const struct engine_container *const *x = a, *const *y = b;

	return ((*x)->created_ns < (*y)->created_ns) - ((*x)->created_ns > (*y)->created_ns);
}

/* Loads what can be loaded, the newest first, and returns how many. */
static size_t load_all(struct engine *engine, int containers_fd, const struct id_list *ids,
		       struct engine_container **list)
{
	size_t count = 0;

	for (size_t i = 0; i < ids->count; i++) {
		struct err err = { 0 };
		int r = load_by_id(engine, containers_fd, ids->ids[i], &list[count], &err);

		if (r == 0)
			count++;
		else if (r != -ENOENT) /* removed meanwhile */
			log_warn("%s", err.text);
	}
	qsort(list, count, sizeof(*list), by_creation);
	return count;
}

int engine_each(struct engine *engine,
		int (*fn)(void *data, const struct engine_container *container), void *data,
		struct err *err)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, err);
	_cleanup_(id_list_deinit) struct id_list ids = { 0 };
	_cleanup_free_ struct engine_container **list = NULL;
	size_t count;
	int r;

	if (containers_fd < 0)
		return containers_fd == -ENOENT ? 0 : containers_fd;
	r = list_ids(containers_fd, "", &ids, err);
	if (r < 0)
		return r;
	list = calloc(ids.count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "list containers");
	count = load_all(engine, containers_fd, &ids, list);
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = fn(data, list[i]);
		engine_container_free(list[i]);
	}
	return r;
}
