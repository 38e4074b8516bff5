/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a container that there is: its name, its limits, a new run of it. */
#include "runtime/engine/change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "runtime/engine/config_build.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/names.h"
#include "runtime/engine/stage.h"
#include "runtime/shim/client.h"

#define LOCK_WAIT_MS 10000

/* A container's folder, locked, with what meta.json says. */
struct change {
	int containers_fd, fd;
	struct arena *arena;
	struct meta meta;
};

static void change_deinit(struct change *change)
{
	cleanup_fd(&change->fd);
	cleanup_fd(&change->containers_fd);
	arena_free(change->arena);
}

static int change_begin(struct change *change, struct engine *engine,
			const struct engine_container *c, struct err *err)
{
	int r;

	change->arena = arena_new();
	if (!change->arena)
		return err_set(err, ENOMEM, "change container %s", c->name);
	change->containers_fd = stage_open_containers(engine->root, false, err);
	if (change->containers_fd < 0)
		return change->containers_fd;
	change->fd = stage_lock(change->containers_fd, c->id, false, LOCK_WAIT_MS, err);
	r = change->fd < 0 ? change->fd : meta_load(change->fd, change->arena, &change->meta, err);
	return r < 0 ? err_add(err, "container %s", c->name) : 0;
}

int engine_rename(struct engine *engine, const struct engine_container *container, const char *name,
		  struct err *err)
{
	return change_identity(engine, container, name, NULL, err);
}

int change_identity(struct engine *engine, const struct engine_container *container,
		    const char *name, const struct labels *labels, struct err *err)
{
	_cleanup_(change_deinit) struct change change = { .containers_fd = -1, .fd = -1 };
	const char *old;
	bool same;
	int r;

	if (!names_is_valid(name))
		return err_say(err, EINVAL,
			       "\"%s\" must be of letters, digits, '_', '.' and '-', begin with a "
			       "letter or digit, and have at most %d characters",
			       name, NAMES_MAX);
	r = change_begin(&change, engine, container, err);
	same = r == 0 && strcmp(change.meta.name, name) == 0;
	if (r < 0 || (same && !labels))
		return r;
	/* Both names stand for it for a moment, never none. */
	r = same ? 0 : names_take(change.containers_fd, name, container->id, err);
	if (r < 0)
		return r;
	old = change.meta.name;
	change.meta.name = name;
	if (labels)
		change.meta.labels = *labels;
	r = meta_save(change.fd, &change.meta, err);
	if (same)
		return r;
	if (r < 0) {
		names_release(change.containers_fd, name, container->id, NULL);
		return r;
	}
	event_tell(engine->root, engine->runroot, container->id, "rename",
		   (const char *const[]){ "old_name", old, NULL });
	return names_release(change.containers_fd, old, container->id, err);
}

static void set_limits(const struct engine_update_options *o, struct oci_resources *r,
		       struct meta *meta)
{
	if (o->memory_bytes) {
		r->memory.limit = (struct oci_i64){ .set = true, .value = o->memory_bytes };
		r->memory.swap = (struct oci_i64){ .set = true, .value = 2 * o->memory_bytes };
		meta->limits.memory_bytes = o->memory_bytes;
		meta->limits.memory_swap_bytes = 0;
	}
	if (o->cpu_millicpu) {
		r->cpu.period_us.set = true;
		r->cpu.period_us.value = CONFIG_CPU_PERIOD_US;
		r->cpu.quota_us.set = true;
		r->cpu.quota_us.value = o->cpu_millicpu * CONFIG_CPU_PERIOD_US / 1000;
		meta->limits.cpu_millicpu = o->cpu_millicpu;
		meta->limits.cpu_quota_us = meta->limits.cpu_period_us = 0;
	}
	if (o->pids_limit) {
		r->pids_limit = (struct oci_i64){ .set = true, .value = o->pids_limit };
		meta->limits.pids_limit = o->pids_limit;
	}
}

/* What is given, alone; the cgroup keeps the rest. */
static char *format_resources(const struct engine_update_options *o)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	if (o->memory_bytes) {
		json_key(w, "memory");
		json_open_object(w);
		json_field_i64(w, "limit", o->memory_bytes);
		json_field_i64(w, "swap", 2 * o->memory_bytes);
		json_close_object(w);
	}
	if (o->cpu_millicpu) {
		json_key(w, "cpu");
		json_open_object(w);
		json_field_i64(w, "period", CONFIG_CPU_PERIOD_US);
		json_field_i64(w, "quota", o->cpu_millicpu * CONFIG_CPU_PERIOD_US / 1000);
		json_close_object(w);
	}
	if (o->pids_limit) {
		json_key(w, "pids");
		json_open_object(w);
		json_field_i64(w, "limit", o->pids_limit);
		json_close_object(w);
	}
	json_close_object(w);
	return json_writer_take(w, &len);
}

/* A later run is to have them too. */
static int save_limits(struct change *change, const struct engine_update_options *o,
		       struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = oci_config_load(change->fd, LAYOUT_CONFIG, &config, err);

	if (r < 0)
		return r;
	set_limits(o, &config->resources, &change->meta);
	r = oci_config_format(config, &text, &len, err);
	if (r == 0)
		r = file_replace(change->fd, LAYOUT_CONFIG, text, len, 0600, false, err);
	return r < 0 ? r : meta_save(change->fd, &change->meta, err);
}

int engine_update(struct engine *engine, const struct engine_container *container,
		  const struct engine_update_options *options, struct err *err)
{
	_cleanup_(change_deinit) struct change change = { .containers_fd = -1, .fd = -1 };
	_cleanup_shim_client_ struct shim_client *client = NULL;
	_cleanup_free_ char *json = format_resources(options);
	int r = 0;

	if (!json)
		return err_set(err, ENOMEM, "update container %s", container->name);
	/* The kernel may refuse them: then nothing is changed. */
	if (container->pid)
		r = engine_connect(engine, container, &client, err);
	if (r == 0 && client)
		r = shim_update(client, container->id, json, err);
	if (r == 0)
		r = change_begin(&change, engine, container, err);
	if (r < 0)
		return err_add(err, "container %s", container->name);
	err_try(save_limits(&change, options, err));
	event_tell(engine->root, engine->runroot, container->id, "update", NULL);
	return 0;
}
