/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/intake/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OUT_OF_MEMORY(err) err_set(err, ENOMEM, "take in a job file")

static const char *name_of(const struct job_file *file)
{
	return file->job ? file->job : file->alloc_set;
}

/* ---- requests ---- */

static int map_resources(const struct job_file *file, const struct job_resources *from,
			 int64_t ports, struct request *ret, struct err *err)
{
	int64_t gpu = from->gpu_milli;

	if (gpu > (int64_t)MACHINE_DEVICES_MAX * DEVICE_WHOLE)
		return err_say(err, ERANGE, "%s:%d:%d: %s: no machine has more than %d GPUs",
			       file->file, file->name_at.line, file->name_at.column, name_of(file),
			       MACHINE_DEVICES_MAX);
	*ret = (struct request){
		.amounts = { { from->cpu_milli, from->memory_bytes, from->disk_bytes, ports } },
		.device_count = (uint16_t)(gpu > DEVICE_WHOLE ? gpu / DEVICE_WHOLE : gpu > 0),
		.device_milli = (uint16_t)(gpu > DEVICE_WHOLE ? DEVICE_WHOLE : gpu),
	};
	return 0;
}

/* What an override leaves out is as for the others. */
static struct job_resources merge(const struct job_resources *all, const struct job_resources *one)
{
	return (struct job_resources){
		.cpu_milli = one->cpu_milli ? one->cpu_milli : all->cpu_milli,
		.memory_bytes = one->memory_bytes ? one->memory_bytes : all->memory_bytes,
		.disk_bytes = one->disk_bytes ? one->disk_bytes : all->disk_bytes,
		.gpu_milli = one->gpu_milli ? one->gpu_milli : all->gpu_milli,
		.gpu_model = all->gpu_model,
	};
}

static int map_overrides(const struct job_file *file, struct arena *arena, struct job *ret,
			 struct err *err)
{
	const struct field_list *from = &file->tasks.overrides;
	struct task_override *list = arena_calloc(arena, from->count + 1, sizeof(*list));

	if (!list)
		return OUT_OF_MEMORY(err);
	FIELD_EACH(job_override, o, *from)
	{
		struct job_resources all = merge(&file->tasks.resources, &o->resources);
		struct task_override *to = &list[ret->override_count];

		/* Of a job that was scaled down: kept for when it grows again. */
		if (o->index >= file->tasks.count)
			continue;
		/* A job has one model; its tasks may ask for more or fewer. */
		if (o->resources.gpu_model &&
		    (!all.gpu_model || strcmp(o->resources.gpu_model, all.gpu_model) != 0))
			return err_say(err, EINVAL,
				       "%s:%d:%d: tasks.overrides: all tasks of a job ask for one "
				       "model of GPU",
				       file->file, file->name_at.line, file->name_at.column);
		to->index = (uint32_t)o->index;
		err_try(map_resources(file, &all, ret->request.amounts.of[RESOURCE_PORTS],
				      &to->request, err));
		ret->override_count++;
	}
	ret->overrides = list;
	return 0;
}

/* ---- ports ---- */

/* The number that the file has chosen; 0: the cell's to choose. */
static uint16_t chosen(const struct job_file *file, const struct job_port *port)
{
	if (port->host)
		return (uint16_t)port->host;
	return file->tasks.network == JOB_NETWORK_HOST ? (uint16_t)port->container : 0;
}

static size_t find(const uint16_t *ports, size_t count, uint16_t port)
{
	size_t i = 0;

	while (i < count && ports[i] != port)
		i++;
	return i;
}

/* Appends each number once. Returns how many ports the cell is to choose. */
static size_t list_ports(const struct job_file *file, uint16_t *ports, size_t *count)
{
	size_t others = 0;

	*count = 0;
	FIELD_EACH(job_port, p, file->tasks.ports)
	{
		uint16_t port = chosen(file, p);

		others += !port;
		if (port && find(ports, *count, port) == *count)
			ports[(*count)++] = port;
	}
	return others;
}

uint32_t intake_port(const struct job_file *file, size_t i)
{
	const struct job_port *ports = file->tasks.ports.items;
	uint16_t port = chosen(file, &ports[i]);
	size_t before = 0, distinct = 0;

	/* Its own place among the chosen, or behind all of them. */
	for (size_t k = 0; k < (port ? i : file->tasks.ports.count); k++) {
		uint16_t other = chosen(file, &ports[k]);
		size_t first = 0;

		if (other && other == port)
			break;
		while (first < k && chosen(file, &ports[first]) != other)
			first++;
		distinct += other && first == k;
		before += !other && k < i;
	}
	return (uint32_t)(port ? distinct : distinct + before);
}

/* ---- rules ---- */

static int map_constraints(const struct job_file *file, struct arena *arena, struct job *ret,
			   struct err *err)
{
	struct constraint *list = arena_calloc(arena, file->constraints.count + 1, sizeof(*list));

	if (!list)
		return OUT_OF_MEMORY(err);
	FIELD_EACH(job_constraint, c, file->constraints)
	list[ret->constraint_count++] = (struct constraint){
		.key = c->attribute,
		.value = c->is ? c->is : c->is_not,
		.comparison = c->is	  ? COMPARE_EQUAL
			      : c->is_not ? COMPARE_UNEQUAL
			      : c->exists ? COMPARE_EXISTS
					  : COMPARE_ABSENT,
		.soft = c->prefer,
	};
	ret->constraints = list;
	return 0;
}

static struct spread_rule map_rule(const struct job_spread *from, enum spread kind)
{
	static const enum domain domains[] = {
		[JOB_DOMAIN_MACHINE] = DOMAIN_MACHINE,
		[JOB_DOMAIN_RACK] = DOMAIN_RACK,
		[JOB_DOMAIN_POWER] = DOMAIN_POWER,
	};

	if (!from->most)
		return (struct spread_rule){ 0 };
	return (struct spread_rule){ .kind = kind,
				     .domain = domains[from->over],
				     .group = from->group,
				     .soft = from->prefer,
				     .most = kind == SPREAD_APART ? (uint32_t)from->most : 0 };
}

static struct restart_rule map_restart(const struct job_restarts *from)
{
	static const enum restart whens[] = {
		[JOB_RESTART_ALWAYS] = RESTART_ALWAYS,
		[JOB_RESTART_ON_FAILURE] = RESTART_ON_FAILURE,
		[JOB_RESTART_NEVER] = RESTART_NEVER,
	};

	return (struct restart_rule){ .when = whens[from->when],
				      .most = (uint32_t)from->most,
				      .backoff_ms = from->backoff_ms,
				      .backoff_max_ms = from->backoff_max_ms };
}

static size_t count_texts(const char *const *texts)
{
	size_t n = 0;

	while (texts && texts[n])
		n++;
	return n;
}

/* ---- all of it ---- */

static int map_tasks(const struct job_file *file, struct arena *arena, struct job *ret,
		     struct err *err)
{
	static const enum on_preemption hows[] = {
		[JOB_PREEMPTION_KILL] = PREEMPTION_KILL,
		[JOB_PREEMPTION_PAUSE] = PREEMPTION_PAUSE,
		[JOB_PREEMPTION_CHECKPOINT] = PREEMPTION_CHECKPOINT,
	};
	uint16_t *ports = arena_calloc(arena, file->tasks.ports.count + 1, sizeof(*ports));

	if (!ports)
		return OUT_OF_MEMORY(err);
	ret->count = (uint32_t)file->tasks.count;
	ret->image = file->tasks.image;
	ret->device_model = file->tasks.resources.gpu_model;
	ret->latency_sensitive = file->class == JOB_LATENCY_SENSITIVE;
	ret->on_preemption = hows[file->preemption.how];
	ret->notice_ms = file->preemption.notice_ms;
	ret->restart = map_restart(&file->restart);
	ret->gang = file->gang;
	ret->alloc_set = file->in;
	ret->after = file->after;
	ret->after_count = count_texts(file->after);
	ret->disruption_budget = (uint32_t)file->disruption_budget;
	ret->host_ports = ports;
	err_try(map_resources(file, &file->tasks.resources,
			      (int64_t)list_ports(file, ports, &ret->host_port_count),
			      &ret->request, err));
	return map_overrides(file, arena, ret, err);
}

int intake_job(const struct job_file *file, struct arena *arena, struct job *ret, struct err *err)
{
	struct job job = {
		.name = name_of(file),
		.owner = file->owner,
		.priority = (unsigned)file->priority,
		.spread = map_rule(&file->spread, SPREAD_APART),
		.affinity = map_rule(&file->affinity, SPREAD_TOGETHER),
		.cells = file->cells,
		.cell_count = count_texts(file->cells),
	};

	err_try(map_constraints(file, arena, &job, err));
	if (file->job) {
		err_try(map_tasks(file, arena, &job, err));
	} else {
		job.reserves = true;
		job.count = (uint32_t)file->allocs;
		job.device_model = file->reserve.gpu_model;
		job.notice_ms = file->preemption.notice_ms;
		err_try(map_resources(file, &file->reserve, 0, &job.request, err));
	}
	*ret = job;
	return 0;
}

/* ---- into the cell ---- */

static const struct job_place *place_of_refusal(const struct cell *cell,
						const struct job_file *file)
{
	for (const char *const *after = file->after; after && *after; after++)
		if (cell_find_job(cell, *after) == NOBODY)
			return &file->after_at;
	return &file->name_at;
}

int intake_submit(struct cell *cell, const struct job_file *file, uint32_t *ret_job,
		  struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct job_place *at;
	struct job job;
	int r;

	if (!arena)
		return OUT_OF_MEMORY(err);
	err_try(intake_job(file, arena, &job, err));
	r = cell_submit(cell, &job, ret_job, err);
	if (r >= 0 || r == -ENOMEM)
		return r;
	at = place_of_refusal(cell, file);
	err_add(err, "%s:%d:%d", file->file, at->line, at->column);
	return r;
}
