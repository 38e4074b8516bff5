/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes looked at with the containers that use them. */
#include "runtime/engine/volume.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/id.h"
#include "runtime/engine/names.h"
#include "runtime/engine/stage.h"
#include "runtime/engine/volume_users.h"
#include "storage/volume.h"

static const char *const none[] = { NULL };

int engine_volume_create(struct engine *engine, const char *name, const char *const *labels,
			 struct arena *arena, const char **ret_name, struct err *err)
{
	struct volume_info make = { .labels = labels, .anonymous = !name };
	_cleanup_volume_ struct volume *volume = NULL;
	char id[LAYOUT_ID_SIZE];
	int r = 0;

	if (!name) {
		r = id_make(id, err);
		name = arena_strdup(arena, id);
		if (r == 0 && !name)
			r = err_set(err, ENOMEM, "create volume");
	}
	if (r == 0)
		r = volume_open(engine->root, name, &make, &volume, err);
	if (r < 0)
		return r;
	if (r > 0)
		event_tell_volume(engine->runroot, "create", name);
	*ret_name = name;
	return r == 0;
}

static int read_volume(struct engine *engine, const char *name, struct arena *arena,
		       struct engine_volume *ret, struct err *err)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, NULL);
	struct volume_judge judge = volume_users_judge(&containers_fd);
	_cleanup_volume_ struct volume *volume = NULL;
	struct volume_info info = { 0 };
	int r = volume_open(engine->root, name, NULL, &volume, err);

	if (r >= 0)
		r = volume_read(volume, arena, &info, err);
	if (r >= 0)
		r = volume_users(volume, &judge, arena, &ret->users, err);
	if (r < 0)
		return r;
	ret->name = info.name;
	ret->data_path = info.data_path;
	ret->labels = info.labels ? info.labels : none;
	ret->created_ns = info.created_ns;
	ret->anonymous = info.anonymous;
	return 0;
}

int engine_volume_find(struct engine *engine, const char *name, struct arena *arena,
		       struct engine_volume *ret, struct err *err)
{
	struct engine_volume volume;
	int r = read_volume(engine, name, arena, &volume, err);

	if (r == 0)
		*ret = volume;
	return r;
}

struct each {
	struct engine *engine;
	int (*fn)(void *data, const struct engine_volume *volume);
	void *data;
};

static int on_name(void *data, const char *name)
{
	const struct each *each = data;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_volume volume;
	struct err err = { 0 };
	int r = arena ? read_volume(each->engine, name, arena, &volume, &err) : -ENOMEM;

	if (r == 0)
		return each->fn(each->data, &volume);
	if (r != -ENOENT) /* removed meanwhile */
		log_warn("%s", err.text);
	return 0;
}

int engine_volume_each(struct engine *engine,
		       int (*fn)(void *data, const struct engine_volume *volume), void *data,
		       struct err *err)
{
	struct each each = { engine, fn, data };

	return volume_each(engine->root, on_name, &each, err);
}

int engine_volume_remove(struct engine *engine, const char *name, struct err *err)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, NULL);
	struct volume_judge judge = volume_users_judge(&containers_fd);
	_cleanup_arena_ struct arena *arena = arena_new();
	char user[NAMES_MAX + 1];
	struct engine_volume volume;
	int r = arena ? volume_remove(engine->root, name, &judge, err)
		      : err_set(err, ENOMEM, "remove volume %s", name);

	if (r == 0)
		event_tell_volume(engine->runroot, "destroy", name);
	if (r != -EBUSY || read_volume(engine, name, arena, &volume, NULL) < 0 || !*volume.users)
		return r;
	if (names_find_of(containers_fd, *volume.users, user) < 0)
		return r;
	return err_say(err, EBUSY, "volume \"%s\" is used by container %s; remove that one first",
		       name, user);
}
