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
	struct job_resources now = amend_resources_of(job, index);

	return (struct amounts){ .of = { [RESOURCE_CPU] = now.cpu_milli,
					 [RESOURCE_MEMORY] = now.memory_bytes,
					 [RESOURCE_DISK] = now.disk_bytes } };
}

static void add(const struct held_job *job, struct amounts *sum)
{
	for (uint32_t i = 0; i < job->count; i++) {
		struct amounts one = amounts_of(job, i);

		if (!job->tasks[i].over)
			amounts_add(sum, &one);
	}
}

int share_check_more(const struct master *master, const struct held_job *job,
		     const struct amounts *more, struct err *err)
{
	static const char *const names[] = { [RESOURCE_CPU] = "millicores of CPU",
					     [RESOURCE_MEMORY] = "bytes of memory",
					     [RESOURCE_DISK] = "bytes of disk" };
	double share = master->production_share;
	struct amounts held = { 0 }, used, capacity;

	if (share <= 0 || share >= 1 || !counts(job))
		return 0;
	for (const struct held_job *other = master->jobs; other; other = other->next)
		if (counts(other) && other->core != NOBODY)
			add(other, &held);
	cell_use(master->cell, &used, &capacity);
	for (size_t r = 0; r < ARRAY_SIZE(names); r++) {
		int64_t most = (int64_t)(share * (double)capacity.of[r]);

		if (more->of[r] > 0 && held.of[r] + more->of[r] > most)
			return err_say(err, EDQUOT,
				       "%s: production may have %.0f %% of the cell: of %" PRId64
				       " %s %" PRId64 " are left, and %" PRId64 " asked for",
				       job->file_name, share * 100, most, names[r],
				       most > held.of[r] ? most - held.of[r] : 0, more->of[r]);
	}
	return 0;
}

int share_check(const struct master *master, const struct held_job *job, struct err *err)
{
	struct amounts asked = { 0 };

	add(job, &asked);
	return share_check_more(master, job, &asked, err);
}

int share_check_scale(const struct master *master, const struct held_job *job, uint32_t count,
		      struct err *err)
{
	struct amounts more = { 0 };

	/* All allocs of a set are alike, whatever their indexes. */
	for (uint32_t i = job_size(job); i < count; i++) {
		struct amounts one = amounts_of(job, i);

		amounts_add(&more, &one);
	}
	return share_check_more(master, job, &more, err);
}

int share_check_resize(const struct master *master, const struct held_job *job, uint32_t index,
		       const struct amounts *each, struct err *err)
{
	struct amounts more = { 0 };

	for (uint32_t i = 0; i < job->count; i++) {
		struct amounts now = amounts_of(job, i);

		if (job->tasks[i].over || (index != NOBODY && index != i))
			continue;
		amounts_add(&more, each);
		amounts_subtract(&more, &now);
	}
	return share_check_more(master, job, &more, err);
}
