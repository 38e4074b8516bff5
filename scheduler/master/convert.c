/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "scheduler/master/inside.h"

static void convert_resources(const struct job_resources *from, size_t ports, struct request *ret)
{
	*ret = (struct request){ 0 };
	ret->amounts.of[RESOURCE_CPU] = from->cpu_milli;
	ret->amounts.of[RESOURCE_MEMORY] = from->memory_bytes;
	ret->amounts.of[RESOURCE_DISK] = from->disk_bytes;
	ret->amounts.of[RESOURCE_PORTS] = (int64_t)ports;
	if (from->gpu_milli > DEVICE_WHOLE) {
		ret->device_count = (uint16_t)(from->gpu_milli / DEVICE_WHOLE);
		ret->device_milli = DEVICE_WHOLE;
	} else if (from->gpu_milli) {
		ret->device_count = 1;
		ret->device_milli = (uint16_t)from->gpu_milli;
	}
}

static int convert_constraints(const struct job_file *file, struct arena *arena, struct job *ret)
{
	struct constraint *list = arena_calloc(arena, file->constraints.count + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	FIELD_EACH(job_constraint, c, file->constraints)
	list[n++] = (struct constraint){
		.key = c->attribute,
		.value = c->is ? c->is : c->is_not,
		.comparison = c->is	  ? COMPARE_EQUAL
			      : c->is_not ? COMPARE_UNEQUAL
			      : c->exists ? COMPARE_EXISTS
					  : COMPARE_ABSENT,
		.soft = c->prefer,
	};
	ret->constraints = list;
	ret->constraint_count = n;
	return 0;
}

static int convert_overrides(const struct job_file *file, struct arena *arena, struct job *ret)
{
	struct task_override *list =
		arena_calloc(arena, file->tasks.overrides.count + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	FIELD_EACH(job_override, o, file->tasks.overrides)
	{
		struct job_resources sum = file->tasks.resources;

		if (o->resources.cpu_milli)
			sum.cpu_milli = o->resources.cpu_milli;
		if (o->resources.memory_bytes)
			sum.memory_bytes = o->resources.memory_bytes;
		if (o->resources.disk_bytes)
			sum.disk_bytes = o->resources.disk_bytes;
		if (o->resources.gpu_milli)
			sum.gpu_milli = o->resources.gpu_milli;
		list[n].index = (uint32_t)o->index;
		convert_resources(&sum, file->tasks.ports.count, &list[n++].request);
	}
	ret->overrides = list;
	ret->override_count = n;
	return 0;
}

static void convert_spread(const struct job_file *file, struct job *ret)
{
	static const enum domain domains[] = {
		[JOB_DOMAIN_MACHINE] = DOMAIN_MACHINE,
		[JOB_DOMAIN_RACK] = DOMAIN_RACK,
		[JOB_DOMAIN_POWER] = DOMAIN_POWER,
	};
	bool together = file->affinity.most != 0;
	const struct job_spread *from = together ? &file->affinity : &file->spread;

	if (!from->most)
		return;
	ret->spread = (struct spread_rule){
		.kind = together ? SPREAD_TOGETHER : SPREAD_APART,
		.domain = domains[from->over],
		.group = from->group,
		.most = (uint32_t)from->most,
	};
}

int convert_job(const struct job_file *file, struct arena *arena, struct job *ret, struct err *err)
{
	static const enum on_preemption ways[] = {
		[JOB_PREEMPTION_KILL] = PREEMPTION_KILL,
		[JOB_PREEMPTION_PAUSE] = PREEMPTION_PAUSE,
		[JOB_PREEMPTION_CHECKPOINT] = PREEMPTION_CHECKPOINT,
	};
	size_t after = 0;

	while (file->after && file->after[after])
		after++;
	*ret = (struct job){
		.name = file->job ? file->job : file->alloc_set,
		.owner = file->owner,
		.priority = (unsigned)file->priority,
		.latency_sensitive =
			file->class == JOB_LATENCY_SENSITIVE ||
			(file->class == JOB_CLASS_DEFAULT && file->priority >= PRIORITY_PRODUCTION),
		.count = (uint32_t)(file->job ? file->tasks.count : file->allocs),
		.disruption_budget = (uint32_t)file->disruption_budget,
		.on_preemption = ways[file->preemption.how],
		.gang = file->gang,
		.after = file->after,
		.after_count = after,
		.reserves = !file->job,
		.alloc_set = file->in,
	};
	convert_resources(file->job ? &file->tasks.resources : &file->reserve,
			  file->job ? file->tasks.ports.count : 0, &ret->request);
	convert_spread(file, ret);
	return convert_constraints(file, arena, ret) < 0 || convert_overrides(file, arena, ret) < 0
		       ? err_set(err, ENOMEM, "submit job %s", ret->name)
		       : 0;
}
