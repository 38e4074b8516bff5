/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/launch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "runtime/engine/checkpoint.h"
#include "scheduler/agent/alloc.h"
#include "scheduler/agent/cores.h"
#include "scheduler/agent/fence.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/pocket.h"

/* CPU weight against other tasks: what was asked for; for batch what nobody else wants, and where
 * the kernel cannot say so next to nothing. */
#define SHARES_PER_CPU 1024
#define SHARES_BATCH 2
#define MILLI 1000
#define OOM_LOWEST 1000 /* oom_score_adj of priority 0; 450 has 100 */
#define NS_PER_MS INT64_C(1000000)

/* ---- copying ---- */

static const char *const *copy_words(const char *const *words, struct arena *arena)
{
	size_t count = 0;
	const char **copy;

	if (!words)
		return NULL;
	while (words[count])
		count++;
	copy = arena_calloc(arena, count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++)
		if (!(copy[i] = arena_strdup(arena, words[i])))
			return NULL;
	return copy;
}

/* Lists of which copies may not be missing. */
static bool copied(const void *of, const void *copy)
{
	return !of || copy;
}

static bool copy_lists(struct program *to, const struct program *from, struct arena *arena)
{
	struct want_port *ports = arena_calloc(arena, from->port_count + 1, sizeof(*ports));
	struct want_mount *mounts = arena_calloc(arena, from->mount_count + 1, sizeof(*mounts));

	if (!ports || !mounts)
		return false;
	for (size_t i = 0; i < from->port_count; i++) {
		ports[i] = from->ports[i];
		if (!(ports[i].name = arena_strdup(arena, from->ports[i].name)))
			return false;
	}
	for (size_t i = 0; i < from->mount_count; i++) {
		mounts[i] = from->mounts[i];
		mounts[i].source = arena_strdup(arena, from->mounts[i].source);
		mounts[i].target = arena_strdup(arena, from->mounts[i].target);
		if (!mounts[i].source || !mounts[i].target)
			return false;
	}
	to->ports = ports;
	to->mounts = mounts;
	return true;
}

struct program *launch_copy(const struct program *program, struct arena *arena)
{
	struct program *copy = arena_alloc(arena, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *program;
	copy->image = arena_strdup(arena, program->image);
	copy->entrypoint = copy_words(program->entrypoint, arena);
	copy->command = copy_words(program->command, arena);
	copy->env = copy_words(program->env, arena);
	copy->workdir = program->workdir ? arena_strdup(arena, program->workdir) : NULL;
	copy->user = program->user ? arena_strdup(arena, program->user) : NULL;
	copy->alloc = program->alloc ? arena_strdup(arena, program->alloc) : NULL;
	copy->devices = copy_words(program->devices, arena);
	copy->health.exec = copy_words(program->health.exec, arena);
	copy->health.path = program->health.path ? arena_strdup(arena, program->health.path) : NULL;
	if (!copied(program->alloc, copy->alloc) || !copied(program->devices, copy->devices) ||
	    !copied(program->health.exec, copy->health.exec) ||
	    !copied(program->health.path, copy->health.path))
		return NULL;
	if (!copy->image || !copied(program->entrypoint, copy->entrypoint) ||
	    !copied(program->command, copy->command) || !copied(program->env, copy->env) ||
	    !copied(program->workdir, copy->workdir) || !copied(program->user, copy->user) ||
	    !copy_lists(copy, program, arena))
		return NULL;
	return copy;
}

/* ---- running ---- */

static int fill_labels(const struct box *box, const char *parent, struct arena *arena,
		       struct labels *ret)
{
	const char *cores = box->has_cores ? cores_text(box) : "";
	struct oci_annotation *items = arena_calloc(arena, 10, sizeof(*items));

	if (!items)
		return -ENOMEM;
	items[0] = (struct oci_annotation){ BOX_LABEL_CELL, box->agent->options.cell };
	items[1] = (struct oci_annotation){ BOX_LABEL_TASK, box->task };
	items[2] = (struct oci_annotation){ BOX_LABEL_INCARNATION,
					    arena_printf(arena, "%" PRIu64, box->incarnation) };
	items[3] = (struct oci_annotation){ BOX_LABEL_GRACE,
					    arena_printf(arena, "%" PRId64, box->grace_ms) };
	items[4] = (struct oci_annotation){
		BOX_LABEL_PRIORITY, arena_printf(arena, "%u%s", box->priority,
						 box->latency_sensitive ? " latency-sensitive" : "")
	};
	/* Also where there is none: an image's own labels would count else. */
	items[5] = (struct oci_annotation){ BOX_LABEL_FENCE, box->fence_ns ? "true" : "" };
	items[6] = (struct oci_annotation){ BOX_LABEL_ALLOC, box->alloc ? box->alloc : "" };
	items[7] = (struct oci_annotation){ BOX_LABEL_CORES,
					    cores ? arena_strdup(arena, cores) : NULL };
	items[8] = (struct oci_annotation){ BOX_LABEL_CGROUP, parent ? parent : "" };
	items[9] = (struct oci_annotation){ BOX_LABEL_PROGRAM,
					    arena_printf(arena, "%016" PRIx64, box->program_hash) };
	*ret = (struct labels){ items, 10 };
	return items[2].value && items[3].value && items[4].value && items[7].value &&
			       items[9].value
		       ? 0
		       : -ENOMEM;
}

static int fill_ports(const struct program *p, struct arena *arena,
		      struct engine_network_options *ret)
{
	struct publish_port *ports = arena_calloc(arena, p->port_count + 1, sizeof(*ports));

	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; i < p->port_count; i++)
		ports[i] = (struct publish_port){
			.host = p->ports[i].host,
			.host_last = p->ports[i].host,
			.container = p->ports[i].container,
			.udp = p->ports[i].udp,
		};
	ret->ports = ports;
	ret->ports_count = p->network == WANT_BRIDGE ? p->port_count : 0;
	return 0;
}

/* A source with a slash in front is a path of the host, else a volume. */
static int fill_mounts(const struct box *box, struct arena *arena, struct engine_mounts *ret)
{
	const struct program *p = box->program;
	size_t more = pocket_mount_count(box);
	struct engine_mount *mounts =
		arena_calloc(arena, p->mount_count + more + 1, sizeof(*mounts));

	if (!mounts || pocket_add_mounts(box, arena, mounts + p->mount_count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < p->mount_count; i++)
		mounts[i] = (struct engine_mount){
			.type = p->mounts[i].source[0] == '/' ? ENGINE_MOUNT_BIND
							      : ENGINE_MOUNT_VOLUME,
			.source = p->mounts[i].source,
			.target = p->mounts[i].target,
			.readonly = p->mounts[i].readonly,
			.must_exist = true,
			.real = p->mounts[i].source[0] == '/',
		};
	ret->items = mounts;
	ret->count = p->mount_count + more;
	return 0;
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;

	while (words && words[count])
		count++;
	return count;
}

/* In the words that the engine has for a check; without one of its own the image's counts. */
static int fill_health(const struct want_health *h, struct arena *arena, struct engine_health *ret)
{
	const char **words = arena_calloc(arena, count_words(h->exec) + 3, sizeof(*words));

	if (!words)
		return -ENOMEM;
	if (h->kind == WANT_HEALTH_OF_IMAGE)
		return 0;
	if (h->kind == WANT_HEALTH_EXEC) {
		words[0] = "CMD";
		for (size_t i = 0; h->exec[i]; i++)
			words[i + 1] = h->exec[i];
	} else {
		words[0] = h->kind == WANT_HEALTH_HTTP ? "HTTP" : "TCP";
		words[1] = arena_printf(arena, "%u%s", h->port, h->path ? h->path : "");
		if (!words[1])
			return -ENOMEM;
	}
	*ret = (struct engine_health){
		.test = words,
		.interval_ns = h->interval_ms * NS_PER_MS,
		.timeout_ns = h->timeout_ms * NS_PER_MS,
		.start_period_ns = h->start_period_ms * NS_PER_MS,
		.retries = (uint32_t)h->retries,
	};
	return 0;
}

static void fill_limits(const struct program *p, struct engine_limits *ret)
{
	int64_t shares = p->cpu_milli * SHARES_PER_CPU / MILLI;

	ret->memory_bytes = p->memory_bytes;
	ret->cpu_millicpu = p->cpu_milli;
	/* Where the kernel itself has to choose, it takes the lowest, too. */
	ret->oom_score_adj =
		(struct oci_i64){ .set = true, .value = OOM_LOWEST - 2 * (int64_t)p->priority };
	ret->cpu_idle = !p->latency_sensitive;
	ret->cpu_shares = p->latency_sensitive && shares > SHARES_BATCH ? shares : SHARES_BATCH;
}

static int fill_devices(const struct program *p, struct arena *arena, struct engine_security *ret)
{
	size_t count = count_words(p->devices);
	struct engine_device *devices = arena_calloc(arena, count + 1, sizeof(*devices));

	if (!devices)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		devices[i] = (struct engine_device){ p->devices[i], p->devices[i], .read = true,
						     .write = true, .mknod = true };
	ret->devices = devices;
	ret->devices_count = count;
	return 0;
}

/* By which a program finds the way to its cell. */
static const char *const *add_env(const char *const *env, struct arena *arena)
{
	size_t count = count_words(env);
	const char **list = arena_calloc(arena, count + 3, sizeof(*list));

	if (!list)
		return env;
	for (size_t i = 0; i < count; i++)
		list[i] = env[i];
	list[count] = "CELLAR_SOCKET=" POCKET_API_TARGET "/cell.sock";
	list[count + 1] = "CELLAR_TOKEN_FILE=" POCKET_API_TARGET "/token";
	return list;
}

static void warn(const char *sentence)
{
	log_debug("%s", sentence);
}

static int fill(const struct box *box, struct arena *arena, struct engine_run_options *ret,
		struct err *err)
{
	static const enum engine_network networks[] = {
		[WANT_BRIDGE] = ENGINE_NETWORK_BRIDGE,
		[WANT_HOST] = ENGINE_NETWORK_HOST,
		[WANT_NONE] = ENGINE_NETWORK_NONE,
	};
	const struct program *p = box->program;

	*ret = (struct engine_run_options){
		.image = p->image,
		.name = box->container,
		.args = p->command,
		.entrypoint = p->entrypoint,
		.env = p->api ? add_env(p->env, arena) : p->env,
		.workdir = p->workdir,
		.user = p->user,
		.detach = true,
		.network = networks[p->network],
		.criu = box->agent->options.criu,
	};
	if (box->alloc) {
		ret->cgroup_parent = alloc_cgroup(box->agent, box->alloc);
		if (!ret->cgroup_parent)
			return err_say(err, EAGAIN, "alloc %s has no cgroup on this machine",
				       box->alloc);
	} else {
		ret->cgroup_parent = box->agent->options.cgroup;
	}
	ret->security.privileged = p->privileged;
	if (fill_devices(p, arena, &ret->security) < 0)
		return err_set(err, ENOMEM, "start task %s", box->task);
	fill_limits(p, &ret->limits);
	if (cores_text(box)) {
		ret->limits.cpuset_cpus = arena_strdup(arena, cores_text(box));
		if (!ret->limits.cpuset_cpus)
			return err_set(err, ENOMEM, "start task %s", box->task);
	}
	engine_limits_fit(&ret->limits, NULL, warn);
	if (fill_labels(box, ret->cgroup_parent, arena, &ret->labels) < 0 ||
	    fill_ports(p, arena, &ret->net) < 0 || fill_mounts(box, arena, &ret->mounts) < 0 ||
	    fill_health(&p->health, arena, &ret->supervision.health) < 0)
		return err_set(err, ENOMEM, "start task %s", box->task);
	return 0;
}

int launch_run(const struct box *box, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	struct engine *engine = box->agent->engine;
	struct engine_run_options options;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "start task %s", box->task);
	err_try(fill(box, arena, &options, err));
	err_try(engine_create(engine, &options, &c, NULL, err));
	r = pocket_give(box, c->dir, err);
	if (r == 0)
		r = engine_connect(engine, c, &client, err);
	if (r == 0 && box->fence_ns)
		r = fence_set(box, c->id, client, err);
	if (r == 0)
		r = engine_start(engine, c, client, err);
	if (r < 0)
		engine_destroy(engine, c, ENGINE_REMOVE_FORCE | ENGINE_REMOVE_VOLUMES, NULL);
	return r;
}

/* ---- going on ---- */

/* Those that it has, which may be of its image, but for what is another now. */
static int change_labels(const struct box *box, const struct engine_container *c,
			 struct arena *arena, struct labels *ret)
{
	struct oci_annotation *items = arena_calloc(arena, c->labels.count + 1, sizeof(*items));
	const char *incarnation = arena_printf(arena, "%" PRIu64, box->incarnation);

	if (!items || !incarnation)
		return -ENOMEM;
	for (size_t i = 0; i < c->labels.count; i++) {
		items[i] = c->labels.items[i];
		if (strcmp(items[i].key, BOX_LABEL_INCARNATION) == 0)
			items[i].value = incarnation;
	}
	*ret = (struct labels){ items, c->labels.count };
	return 0;
}

static int set_fence(void *data, const struct engine_container *c, struct shim_client *client,
		     struct err *err)
{
	const struct box *box = data;

	return box->fence_ns ? fence_set(box, c->id, client, err) : 0;
}

/* What its program says of CPU, which CRIU was spared. */
static int take_cpu(const struct box *box, const struct engine_container *was, struct err *err)
{
	struct engine *engine = box->agent->engine;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char text[96];

	if (!was->limits.cpu_idle && !was->limits.cpu_shares)
		return 0;
	snprintf(text, sizeof(text), "{\"cpu\": {%s\"shares\": %" PRId64 "}}",
		 was->limits.cpu_idle ? "\"idle\": 1, " : "",
		 was->limits.cpu_shares > SHARES_BATCH ? was->limits.cpu_shares : SHARES_BATCH);
	err_try(engine_find(engine, box->container, &c, err));
	err_try(engine_connect(engine, c, &client, err));
	return shim_update(client, c->id, text, err);
}

int launch_restore(const struct box *box, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_engine_container_ struct engine_container *c = NULL;
	struct engine_restore_options options = {
		.name = box->container,
		.criu = box->agent->options.criu,
		.cpu_as_others = true,
		.before = set_fence,
		.data = (void *)(uintptr_t)box,
	};
	struct err ignored = { 0 };

	err_try(engine_find(box->agent->engine, box->from, &c, err));
	if (!arena || change_labels(box, c, arena, &options.labels) < 0)
		return err_set(err, ENOMEM, "start task %s", box->task);
	err_try(engine_restore(box->agent->engine, c, &options, err));
	/* It runs, and may have ended by now. */
	if (take_cpu(box, c, &ignored) < 0)
		log_debug("task %s: %s", box->task, ignored.text);
	return 0;
}
