/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/quota.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const char *const bands[BAND_COUNT] = { "free", "batch", "mid", "production", "monitoring" };
static const char *const resources[RESOURCE_COUNT] = { "CPU (milli)", "memory (bytes)",
						       "disk (bytes)", "ports" };

static uint64_t key_of(uint32_t owner, enum band band)
{
	return (uint64_t)owner << 8 | band;
}

static struct quota *find(struct cell *cell, uint32_t owner, enum band band)
{
	uint32_t at = map_get(&cell->quota_of, key_of(owner, band));

	return at == MAP_NONE ? NULL : &cell->quotas[at];
}

static bool is_production(enum band band)
{
	return band >= BAND_PRODUCTION;
}

/* Where there is no limit, nothing is promised either. */
static void add_promise(struct amounts *to, const struct amounts *limit)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		to->of[r] += limit->of[r] == QUOTA_UNLIMITED ? 0 : limit->of[r];
}

/* What production may be promised in all: the cell as it is, or the share of it that it may have.
 */
static int check_promise(const struct cell *cell, uint32_t owner, enum band band,
			 const struct amounts *limit, struct err *err)
{
	double share = cell->options.production_share > 0 ? cell->options.production_share : 1;
	struct amounts promised = { 0 };

	add_promise(&promised, limit);
	for (size_t q = 0; q < cell->quota_count; q++) {
		const struct quota *quota = &cell->quotas[q];

		if (is_production(quota->band) && !(quota->owner == owner && quota->band == band))
			add_promise(&promised, &quota->limit);
	}
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (limit->of[r] != QUOTA_UNLIMITED &&
		    (double)promised.of[r] > share * (double)cell->capacity.of[r])
			return err_say(err, ENOSPC,
				       "production would be promised %" PRId64 " of %s, and may "
				       "have %.0f",
				       promised.of[r], resources[r],
				       share * (double)cell->capacity.of[r]);
	return 0;
}

/* What its owner has in the cell already. */
static void charge_present(const struct cell *cell, struct quota *quota)
{
	for (size_t j = 0; j < cell->job_count; j++) {
		const struct cell_job *job = &cell->jobs[j];

		if (!job->name || job->owner != quota->owner || !job->priority || job->set ||
		    band_of(job->priority) != quota->band)
			continue;
		for (uint32_t t = job->tasks; t != NONE; t = cell->tasks[t].next_in_job)
			if (cell->tasks[t].state != TASK_ENDED)
				amounts_add(&quota->used,
					    &cell->classes[cell->tasks[t].class].request.amounts);
	}
}

bool cell_quota_used(const struct cell *cell, const char *owner, enum band band,
		     struct amounts *ret)
{
	uint32_t symbol = symbol_find(&cell->symbols, owner);
	uint32_t at = symbol ? map_get(&cell->quota_of, key_of(symbol, band)) : MAP_NONE;

	if (at == MAP_NONE)
		return false;
	*ret = cell->quotas[at].used;
	return true;
}

void cell_demand_quota(struct cell *cell, enum quota_demand demand)
{
	cell->options.quota = demand == QUOTA_OF_ALL;
	cell->options.quota_where_set = demand == QUOTA_WHERE_SET;
}

/* Is an owner with that quota, or NULL, held to it? */
static bool is_held(const struct cell *cell, const struct quota *quota)
{
	return cell->options.quota || (cell->options.quota_where_set && quota);
}

int cell_set_quota(struct cell *cell, const char *owner, enum band band,
		   const struct amounts *limit, struct err *err)
{
	struct quota *quota;
	uint32_t symbol;

	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (limit->of[r] != QUOTA_UNLIMITED &&
		    (limit->of[r] < 0 || limit->of[r] > AMOUNT_SUM_MAX / 1024))
			return err_say(err, ERANGE, "%" PRId64 " is no quota of %s", limit->of[r],
				       resources[r]);
	if (symbol_intern(&cell->symbols, owner, &symbol) < 0)
		return err_set(err, ENOMEM, "set the quota of %s", owner);
	if (is_production(band))
		err_try(check_promise(cell, symbol, band, limit, err));
	quota = find(cell, symbol, band);
	if (!quota) {
		uint32_t at = (uint32_t)cell->quota_count;

		if (state_grow(cell->quotas, cell->quota_count, cell->quota_size) < 0 ||
		    map_put(&cell->quota_of, key_of(symbol, band), at) < 0)
			return err_set(err, ENOMEM, "set the quota of %s", owner);
		quota = &cell->quotas[cell->quota_count++];
		*quota = (struct quota){ .owner = symbol, .band = band };
		charge_present(cell, quota);
	}
	quota->limit = *limit;
	return 0;
}

/* The whole job's, overrides included. */
static void sum_job(const struct job *job, struct amounts *ret)
{
	*ret = (struct amounts){ 0 };
	for (int r = 0; r < RESOURCE_COUNT; r++)
		ret->of[r] = job->request.amounts.of[r] *
			     ((int64_t)job->count - (int64_t)job->override_count);
	for (size_t i = 0; i < job->override_count; i++)
		amounts_add(ret, &job->overrides[i].request.amounts);
}

int quota_check(struct cell *cell, const struct job *job, struct err *err)
{
	enum band band = band_of(job->priority);
	const char *owner = job->owner ? job->owner : "";
	struct amounts wants, left = { 0 };
	struct quota *quota;

	/* What runs in a set was paid for by the set. */
	if (!job->priority || job->alloc_set)
		return 0;
	quota = find(cell, symbol_find(&cell->symbols, owner), band);
	if (!is_held(cell, quota))
		return 0;
	if (quota) {
		left = quota->limit;
		amounts_subtract(&left, &quota->used);
	}
	sum_job(job, &wants);
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (wants.of[r] > left.of[r])
			return err_say(err, EDQUOT,
				       "job %s: asks for %" PRId64 " of %s, and %s has %" PRId64
				       " left of its %s quota",
				       job->name, wants.of[r], resources[r], owner,
				       left.of[r] > 0 ? left.of[r] : 0, bands[band]);
	return 0;
}

/* Charged also where quota is not asked for: it may be, later. */
void quota_charge(struct cell *cell, const struct cell_job *job, const struct request *request)
{
	struct quota *quota = find(cell, job->owner, band_of(job->priority));

	if (quota && job->priority && !job->set)
		amounts_add(&quota->used, &request->amounts);
}

void quota_return(struct cell *cell, const struct cell_job *job, const struct request *request)
{
	struct quota *quota = find(cell, job->owner, band_of(job->priority));

	if (quota && job->priority && !job->set)
		amounts_subtract(&quota->used, &request->amounts);
}

int quota_check_more(struct cell *cell, const struct cell_job *job, const struct amounts *more,
		     struct err *err)
{
	struct quota *quota = find(cell, job->owner, band_of(job->priority));

	if (!is_held(cell, quota) || !job->priority || job->set)
		return 0;
	for (int r = 0; r < RESOURCE_COUNT; r++) {
		int64_t left = quota ? quota->limit.of[r] - quota->used.of[r] : 0;

		if (more->of[r] > 0 && more->of[r] > left)
			return err_say(err, EDQUOT,
				       "job %s: asks for %" PRId64
				       " more of %s, and %s has %" PRId64 " left of its %s quota",
				       symbol_name(&cell->symbols, job->name), more->of[r],
				       resources[r], symbol_name(&cell->symbols, job->owner),
				       left > 0 ? left : 0, bands[band_of(job->priority)]);
	}
	return 0;
}
