/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the cell production may have: what would go beyond its share is refused, as whole
 * jobs, so that a flood of production leaves the rest to batch. Counted is what is asked for, of
 * all that has not ended, whether it has found its place yet or not.
 */
#include <errno.h>
#include <inttypes.h>

#include "scheduler/master/inside.h"

static bool counts(const struct held_job *job)
{
	/* What runs in an alloc set has what the set was counted with. */
	return !job->stopped && !job->refusal && !job->file.in &&
	       job->file.priority >= PRIORITY_PRODUCTION;
}

static struct amounts amounts_of(const struct held_job *job, uint32_t index)
{
	const struct job_resources *all =
		job->file.job ? &job->file.tasks.resources : &job->file.reserve;
	struct amounts ret = { .of = { [RESOURCE_CPU] = all->cpu_milli,
				       [RESOURCE_MEMORY] = all->memory_bytes,
				       [RESOURCE_DISK] = all->disk_bytes } };

	FIELD_EACH(job_override, o, job->file.tasks.overrides)
	{
		if (o->index != index)
			continue;
		if (o->resources.cpu_milli)
			ret.of[RESOURCE_CPU] = o->resources.cpu_milli;
		if (o->resources.memory_bytes)
			ret.of[RESOURCE_MEMORY] = o->resources.memory_bytes;
		if (o->resources.disk_bytes)
			ret.of[RESOURCE_DISK] = o->resources.disk_bytes;
	}
	return ret;
}

static void add(const struct held_job *job, struct amounts *sum)
{
	for (uint32_t i = 0; i < job->count; i++) {
		struct amounts one = amounts_of(job, i);

		if (!job->tasks[i].over)
			amounts_add(sum, &one);
	}
}

int share_check(const struct master *master, const struct held_job *job, struct err *err)
{
	static const char *const names[] = { [RESOURCE_CPU] = "millicores of CPU",
					     [RESOURCE_MEMORY] = "bytes of memory",
					     [RESOURCE_DISK] = "bytes of disk" };
	double share = master->production_share;
	struct amounts asked = { 0 }, held = { 0 }, used, capacity;

	if (share <= 0 || share >= 1 || !counts(job))
		return 0;
	for (const struct held_job *other = master->jobs; other; other = other->next)
		if (other != job && counts(other))
			add(other, &held);
	add(job, &asked);
	cell_use(master->cell, &used, &capacity);
	for (size_t r = 0; r < ARRAY_SIZE(names); r++) {
		int64_t most = (int64_t)(share * (double)capacity.of[r]);

		if (asked.of[r] && held.of[r] + asked.of[r] > most)
			return err_say(err, EDQUOT,
				       "%s: production may have %.0f %% of the cell: of %" PRId64
				       " %s %" PRId64 " are left, and %" PRId64 " asked for",
				       job->file_name, share * 100, most, names[r],
				       most > held.of[r] ? most - held.of[r] : 0, asked.of[r]);
	}
	return 0;
}
