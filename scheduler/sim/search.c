/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/map.h"

#define ABOVE 5 /* numbers above the smallest that must pass, too */

/* ---- smallest ---- */

/* Passes at n? Remembers runs: known[n] is 0 unknown, 1 fails, 2 passes. */
struct probe {
	const struct search *search;
	char *known;
};

static int run_at(const struct search *s, size_t n, struct run_result *ret, struct err *err)
{
	int r = s->make ? s->make(s->make_data, s->trace, n, err) : 0;

	return r < 0 ? r : run_trace(s->trace, n, NULL, &s->options, ret, err);
}

static int passes(struct probe *p, size_t n, bool *ret, struct err *err)
{
	const struct search *s = p->search;
	struct run_result result;
	int r;

	if (!p->known[n]) {
		r = run_at(s, n, &result, err);
		if (r < 0)
			return r;
		p->known[n] = result.stopped ? 1 : 2;
		if (s->progress)
			fprintf(stderr, "\r%zu machines: %s        ", n,
				result.stopped ? "too few" : "enough");
	}
	*ret = p->known[n] == 2;
	return 0;
}

/* A number that passes while the one below fails, above low: steps double, then halve. */
static int bisect(struct probe *p, size_t low, size_t *ret, struct err *err)
{
	size_t high = low, step = 1;
	bool ok;

	for (;;) {
		err_try(passes(p, high, &ok, err));
		if (ok)
			break;
		if (high == p->search->most)
			return err_say(err, ENOSPC,
				       "%zu machines are too few, and there are no more", high);
		low = high;
		high = high + step > p->search->most ? p->search->most : high + step;
		step *= 2;
	}
	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		err_try(passes(p, middle, &ok, err));
		if (ok)
			high = middle;
		else
			low = middle;
	}
	*ret = high;
	return 0;
}

/* From some numbers below the edge upwards, until a row of them passes. */
static int settle(struct probe *p, size_t low, size_t edge, size_t *ret, struct err *err)
{
	size_t at = edge > low + 2 * ABOVE ? edge - 2 * ABOVE : low, row = 0;
	bool ok;

	for (; row <= ABOVE; at++) {
		if (at > p->search->most)
			return err_say(err, ENOSPC,
				       "%zu machines are too few, and there are no more", at - 1);
		err_try(passes(p, at, &ok, err));
		row = ok ? row + 1 : 0;
	}
	*ret = at - row;
	return 0;
}

int search_smallest(const struct search *search, struct run_result *ret, struct err *err)
{
	struct probe p = { .search = search, .known = calloc(search->most + 1, 1) };
	struct trace_peak peak;
	size_t bound, from, edge, best;
	int r;

	if (!p.known || trace_peak(search->trace, &peak) < 0) {
		free(p.known);
		return err_set(err, ENOMEM, "search the smallest cell");
	}
	r = search->make ? search->make(search->make_data, search->trace, search->most, err) : 0;
	bound = run_lower_bound(search->trace, &peak, NULL, 1);
	bound = bound ? bound : 1;
	/* Who may refuse some may do with less than what all of them ask for. */
	from = search->options.refuse_limit ? 1 : bound;
	if (r == 0 && from > search->most)
		r = err_say(err, EINVAL, "%zu machines are too few, by totals alone %zu are needed",
			    search->most, bound);
	if (r == 0)
		r = bisect(&p, from, &edge, err);
	if (r == 0)
		r = settle(&p, from, edge, &best, err);
	if (r == 0)
		r = run_at(search, best, ret, err);
	if (r == 0)
		ret->lower_bound = bound;
	if (search->progress)
		fputs("\r\033[K", stderr);
	free(p.known);
	return r;
}

/* ---- compaction ---- */

static uint64_t random_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	return hash_mix(*state);
}

static void shuffle(uint32_t *order, size_t count, uint64_t *random)
{
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	for (size_t i = count; i > 1; i--) {
		size_t j = random_next(random) % i;
		uint32_t other = order[i - 1];

		order[i - 1] = order[j];
		order[j] = other;
	}
}

/* A trace with some of the jobs, in their order; it borrows everything but its two arrays. */
static int sample_jobs(const struct trace *from, double part, uint64_t *random, struct trace *ret)
{
	size_t want = (size_t)(part * (double)from->job_count);

	*ret = *from;
	ret->jobs = calloc(from->job_count + 1, sizeof(*ret->jobs));
	ret->tasks = calloc(from->task_count + 1, sizeof(*ret->tasks));
	if (!ret->jobs || !ret->tasks)
		return -ENOMEM;
	ret->job_count = ret->task_count = 0;
	for (size_t j = 0; j < from->job_count; j++) {
		struct trace_job job = from->jobs[j];

		/* Knuth's selection sampling: exactly so many of those that are left. */
		if (random_next(random) % (from->job_count - j) >= want)
			continue;
		want--;
		memcpy(&ret->tasks[ret->task_count], &from->tasks[job.first],
		       job.count * sizeof(*ret->tasks));
		job.first = (uint32_t)ret->task_count;
		for (uint32_t i = 0; i < job.count; i++)
			ret->tasks[job.first + i].job = (uint32_t)ret->job_count;
		ret->task_count += job.count;
		ret->jobs[ret->job_count++] = job;
	}
	return 0;
}

static int compact_one(const struct trace *sample, const struct compaction *c,
		       const uint32_t *order, uint64_t seed, struct run_result *ret,
		       struct err *err)
{
	struct run_options options = c->options;
	struct trace_peak peak;
	size_t low, high = sample->machine_count;
	struct run_result result;

	options.seed = seed;
	options.refuse = true;
	options.refuse_limit = (uint64_t)(c->pending * (double)sample->task_count);
	if (trace_peak(sample, &peak) < 0)
		return err_set(err, ENOMEM, "compact the cell");
	low = run_lower_bound(sample, &peak, order, 1 - c->pending);
	err_try(run_trace(sample, high, order, &options, ret, err));
	ret->lower_bound = low;
	if (ret->stopped) {
		ret->machines = SIZE_MAX;
		return 0;
	}
	for (low = low ? low - 1 : 0; low + 1 < high;) {
		size_t middle = low + (high - low) / 2;

		err_try(run_trace(sample, middle, order, &options, &result, err));
		if (result.stopped) {
			low = middle;
			continue;
		}
		high = middle;
		result.lower_bound = ret->lower_bound;
		*ret = result;
	}
	return 0;
}

static int by_machines(const void *a, const void *b)
{
	const struct run_result *x = a, *y = b;

	return (x->machines > y->machines) - (x->machines < y->machines);
}

static int by_bound(const void *a, const void *b)
{
	const struct run_result *x = a, *y = b;

	return (x->lower_bound > y->lower_bound) - (x->lower_bound < y->lower_bound);
}

static int compact_all(const struct compaction *c, uint32_t *order, struct run_result *results,
		       struct err *err)
{
	uint64_t random = c->options.seed;

	for (unsigned i = 0; i < c->orders; i++) {
		struct trace sample;
		int r;

		shuffle(order, c->trace->machine_count, &random);
		r = sample_jobs(c->trace, c->sample, &random, &sample);
		r = r < 0 ? err_set(err, ENOMEM, "compact the cell")
			  : compact_one(&sample, c, order, random, &results[i], err);
		free(sample.jobs);
		free(sample.tasks);
		if (r < 0)
			return r;
		if (c->progress)
			fprintf(stderr, "\r%u of %u orders   ", i + 1, c->orders);
	}
	return 0;
}

int search_compaction(const struct compaction *c, struct run_result *ret, struct err *err)
{
	_cleanup_free_ uint32_t *order = calloc(c->trace->machine_count + 1, sizeof(*order));
	_cleanup_free_ struct run_result *results = calloc(c->orders, sizeof(*results));
	size_t at = (size_t)(0.9 * (c->orders - 1) + 0.5), bound;
	int r;

	if (!order || !results)
		return err_set(err, ENOMEM, "compact the cell");
	r = compact_all(c, order, results, err);
	if (c->progress)
		fputs("\r\033[K", stderr);
	if (r < 0)
		return r;
	qsort(results, c->orders, sizeof(*results), by_bound);
	bound = results[at].lower_bound;
	qsort(results, c->orders, sizeof(*results), by_machines);
	if (results[at].machines == SIZE_MAX)
		return err_say(err, ENOSPC, "%zu machines are too few for the sample",
			       c->trace->machine_count);
	*ret = results[at];
	ret->lower_bound = bound;
	ret->seed = c->options.seed;
	return 0;
}
