/* SPDX-License-Identifier: Apache-2.0 */
/* What a task of a job runs, as its machine is told. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "scheduler/intake/intake.h"
#include "scheduler/master/inside.h"

/* The cell chooses numbers where the job did not, so that no two tasks of a machine want one. */
uint16_t job_host_port(const struct master *master, const struct held_task *task, size_t i)
{
	uint32_t core = task_core(master, task);
	uint32_t port = core == NOBODY ? 0
				       : cell_task_port(master->cell, core,
							intake_port(&task->job->file, i));

	return (uint16_t)port;
}

/* "PORT_http=8080": where it is to listen. */
static int add_port_env(const struct master *master, const struct held_task *task,
			struct arena *arena, const char **list, size_t *n)
{
	const struct job_tasks *tasks = &task->job->file.tasks;
	size_t i = 0;

	FIELD_EACH(job_port, port, tasks->ports)
	{
		bool host = tasks->network == JOB_NETWORK_HOST;
		char *name = arena_strdup(arena, port->name);

		if (!name)
			return -ENOMEM;
		for (char *p = name; *p; p++)
			if (*p == '-' || *p == '.')
				*p = '_';
		list[*n] = arena_printf(arena, "PORT_%s=%u", name,
					host ? job_host_port(master, task, i)
					     : (unsigned)port->container);
		if (!list[(*n)++])
			return -ENOMEM;
		i++;
	}
	return 0;
}

static const char *const *add_env(const struct master *master, const struct held_task *task,
				  struct arena *arena)
{
	const struct job_tasks *tasks = &task->job->file.tasks;
	const struct field_pairs *own = NULL;
	size_t count = tasks->env.count, n = 0;
	const char **list;

	FIELD_EACH(job_override, o, tasks->overrides)
	if (o->index == task->index)
		own = &o->env;
	count += own ? own->count : 0;
	list = arena_calloc(arena, tasks->ports.count + count + 1, sizeof(*list));
	if (!list || add_port_env(master, task, arena, list, &n) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct field_pair *pair = i < tasks->env.count
							? &tasks->env.items[i]
							: &own->items[i - tasks->env.count];

		if (!(list[n++] = arena_printf(arena, "%s=%s", pair->key, pair->value)))
			return NULL;
	}
	return list;
}

/* A path, or a volume: each owner has its own, as no owner's name has a '_'. NULL: no memory. */
static const char *volume_source(const struct held_task *task, const char *source,
				 struct arena *arena)
{
	return source[0] == '/' ? source
				: arena_printf(arena, "%s_%s", task->job->file.owner, source);
}

static int add_mounts(const struct held_task *task, struct arena *arena, struct program *ret)
{
	const struct job_tasks *tasks = &task->job->file.tasks;
	struct want_mount *mounts = arena_calloc(arena, tasks->volumes.count + 1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	FIELD_EACH(job_volume, v, tasks->volumes)
	{
		const char *source = volume_source(task, v->source, arena);

		if (!source)
			return -ENOMEM;
		mounts[ret->mount_count++] = (struct want_mount){ source, v->target, v->readonly };
	}
	ret->mounts = mounts;
	return 0;
}

static int add_lists(const struct master *master, const struct held_task *task, struct arena *arena,
		     struct program *ret)
{
	const struct job_tasks *tasks = &task->job->file.tasks;
	struct want_port *ports = arena_calloc(arena, tasks->ports.count + 1, sizeof(*ports));

	if (!ports)
		return -ENOMEM;
	FIELD_EACH(job_port, p, tasks->ports)
	{
		ports[ret->port_count] =
			(struct want_port){ p->name, (uint16_t)p->container,
					    job_host_port(master, task, ret->port_count),
					    p->protocol == JOB_UDP };
		ret->port_count++;
	}
	ret->ports = ports;
	return add_mounts(task, arena, ret);
}

/* On the host's network a task listens on the machine's own port. */
static uint16_t health_port(const struct job_tasks *tasks, const struct program *program)
{
	for (size_t i = 0; i < program->port_count; i++)
		if (tasks->health.port && strcmp(program->ports[i].name, tasks->health.port) == 0)
			return program->network == WANT_HOST && program->ports[i].host
				       ? program->ports[i].host
				       : program->ports[i].container;
	return 0;
}

static void add_health(const struct job_tasks *tasks, struct program *ret)
{
	const struct job_health *h = &tasks->health;

	if (!h->exec && !h->http && !h->tcp)
		return;
	ret->health = (struct want_health){
		.kind = h->exec	  ? WANT_HEALTH_EXEC
			: h->http ? WANT_HEALTH_HTTP
				  : WANT_HEALTH_TCP,
		.exec = h->exec,
		.path = h->http,
		.port = health_port(tasks, ret),
		.interval_ms = h->interval_ms,
		.timeout_ms = h->timeout_ms,
		.start_period_ms = h->start_period_ms,
		.retries = h->retries,
	};
}

int job_program(const struct master *master, const struct held_task *task, struct arena *arena,
		struct program *ret)
{
	const struct held_job *job = task->job;
	const struct held_task *alloc;
	uint32_t index = task->index;
	static const enum want_network networks[] = {
		[JOB_NETWORK_BRIDGE] = WANT_BRIDGE,
		[JOB_NETWORK_HOST] = WANT_HOST,
		[JOB_NETWORK_NONE] = WANT_NONE,
	};
	const struct job_tasks *tasks = &job->file.tasks;
	struct job_resources resources = tasks->resources;

	FIELD_EACH(job_override, o, tasks->overrides)
	{
		if (o->index != index)
			continue;
		if (o->resources.cpu_milli)
			resources.cpu_milli = o->resources.cpu_milli;
		if (o->resources.memory_bytes)
			resources.memory_bytes = o->resources.memory_bytes;
	}
	*ret = (struct program){
		.image = tasks->image,
		.entrypoint = tasks->entrypoint,
		.command = tasks->command,
		.env = add_env(master, task, arena),
		.workdir = tasks->workdir,
		.user = tasks->user,
		.cpu_milli = resources.cpu_milli,
		.memory_bytes = resources.memory_bytes,
		.stop_grace_ms = tasks->stop_grace_ms,
		.priority = (unsigned)job->file.priority,
		.latency_sensitive = job->file.class == JOB_LATENCY_SENSITIVE ||
				     (job->file.class == JOB_CLASS_DEFAULT &&
				      job->file.priority >= PRIORITY_PRODUCTION),
		.network = networks[tasks->network],
	};
	ret->api = tasks->api;
	ret->privileged = tasks->privileged;
	ret->devices = tasks->devices;
	alloc = task_alloc(master, task);
	if (alloc)
		ret->alloc = arena_printf(arena, "%s/%" PRIu32, job_name(alloc->job), alloc->index);
	if (!ret->env || (alloc && !ret->alloc) || add_lists(master, task, arena, ret) < 0)
		return -ENOMEM;
	add_health(tasks, ret);
	return 0;
}
