/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "scheduler/core/map.h"
#include "scheduler/sim/meter.h"

#define GIB ((int64_t)1 << 30)
#define RACK 40		/* machines */
#define JOB_TASKS 8	/* at most, of one job */
#define LOG_EVENTS 4096 /* held before they are written out */

struct bench_class {
	struct request request;
	unsigned priority;
	struct constraint constraints[2];
	size_t constraint_count;
};

struct bench {
	const struct bench_options *options;
	struct outside outside;
	struct cell *cell;
	struct bench_class *classes;
	uint64_t random;   /* of the workload; the cell has its own */
	uint32_t *running; /* tasks, in no order */
	uint32_t *place;   /* of a task in it, by task */
	size_t running_count, size;
	uint32_t *left; /* by job: tasks that have not ended */
	size_t job_size;
	uint64_t jobs;
	FILE *log;
	struct meter meter;
	struct bench_result result;
	bool out_of_memory;
};

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 +
	       (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

static uint64_t draw(struct bench *b)
{
	b->random += 0x9e3779b97f4a7c15u;
	return hash_mix(b->random);
}

static double draw_part(struct bench *b)
{
	return (double)(draw(b) >> 11) * 0x1p-53;
}

/* Between low and high, each octave as likely as the next. */
static double draw_octaves(struct bench *b, double low, double high)
{
	return low * pow(high / low, draw_part(b));
}

/* ---- the log of events ---- */

static bool grow(struct bench *b, uint32_t task)
{
	size_t size = b->size ? b->size : 4096;
	uint32_t *running, *place;

	if (task < b->size)
		return true;
	while (size <= task)
		size *= 2;
	running = reallocarray(b->running, size, sizeof(*running));
	b->running = running ? running : b->running;
	place = reallocarray(b->place, size, sizeof(*place));
	b->place = place ? place : b->place;
	if (!running || !place) {
		b->out_of_memory = true;
		return false;
	}
	b->size = size;
	return true;
}

static void gone(struct bench *b, uint32_t task)
{
	uint32_t last = b->running[--b->running_count];

	b->running[b->place[task]] = last;
	b->place[last] = b->place[task];
}

static void on_event(void *data, const struct event *e)
{
	struct bench *b = data;

	fwrite(e, sizeof(*e), 1, b->log);
	if (e->kind == EVENT_PLACE && grow(b, e->task)) {
		b->place[e->task] = (uint32_t)b->running_count;
		b->running[b->running_count++] = e->task;
	} else if (e->kind == EVENT_END && e->machine != NOBODY) {
		gone(b, e->task);
	}
}

/* ---- the cell ---- */

static int add_machine(struct bench *b, uint32_t i, struct err *err)
{
	static const int64_t shapes[][2] = { { 32, 128 }, { 64, 192 }, { 96, 192 }, { 48, 192 } };
	static const char *const zones[] = { "a", "b", "c" };
	char name[32], rack[32];
	struct attribute attributes[3] = {
		{ "arch", draw(b) % 10 ? "amd64" : "arm64" },
		{ "zone", zones[i / RACK % 3] },
		{ "disk", draw(b) % 2 ? "ssd" : "hdd" },
	};
	const int64_t *shape = shapes[draw(b) % 4];
	struct machine_spec spec = {
		.name = name,
		.rack = rack,
		.capacity = { { shape[0] * 1000, shape[1] * GIB, 1024 * GIB, 30000 } },
		.attributes = attributes,
		.attribute_count = ARRAY_SIZE(attributes),
	};

	snprintf(name, sizeof(name), "m%u", i);
	snprintf(rack, sizeof(rack), "r%u", i / RACK);
	return cell_add_machine(b->cell, &spec, NULL, err);
}

static unsigned draw_priority(struct bench *b)
{
	double x = draw_part(b);

	return x < 0.1	  ? (unsigned)(draw(b) % 100)
	       : x < 0.5  ? PRIORITY_BATCH + (unsigned)(draw(b) % 16)
	       : x < 0.6  ? PRIORITY_MID + (unsigned)(draw(b) % 4)
	       : x < 0.98 ? PRIORITY_PRODUCTION + (unsigned)(draw(b) % 240)
			  : PRIORITY_MONITORING + (unsigned)(draw(b) % 91);
}

static void draw_class(struct bench *b, struct bench_class *c)
{
	static const struct constraint all[] = {
		{ "arch", "amd64", COMPARE_EQUAL, false }, { "disk", "ssd", COMPARE_EQUAL, false },
		{ "zone", "b", COMPARE_UNEQUAL, false },   { "disk", "ssd", COMPARE_EQUAL, true },
		{ "zone", "a", COMPARE_EQUAL, false },
	};
	double cores = draw_octaves(b, 0.1, 16), gib = cores * draw_octaves(b, 0.5, 8);

	*c = (struct bench_class){ .priority = draw_priority(b) };
	c->request.amounts.of[RESOURCE_CPU] = (int64_t)(cores * 20) * 50 + 50;
	c->request.amounts.of[RESOURCE_MEMORY] = (int64_t)(gib * 16) * (GIB / 16) + GIB / 16;
	c->request.amounts.of[RESOURCE_PORTS] = (int64_t)(draw(b) % 3);
	if (draw_part(b) < b->options->constrained) {
		c->constraint_count = 1 + draw(b) % 2;
		for (size_t i = 0; i < c->constraint_count; i++)
			c->constraints[i] = all[draw(b) % ARRAY_SIZE(all)];
	}
}

/* ---- the workload ---- */

static int remember_job(struct bench *b, uint32_t job, uint32_t tasks)
{
	if (job >= b->job_size) {
		size_t size = b->job_size ? b->job_size * 2 : 4096;
		uint32_t *more = reallocarray(b->left, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		b->left = more;
		b->job_size = size;
	}
	b->left[job] = tasks;
	return 0;
}

static int submit(struct bench *b, struct err *err)
{
	const struct bench_class *c = &b->classes[draw(b) % b->options->classes];
	char name[32], owner[32];
	struct job job = {
		.name = name,
		.owner = owner,
		.priority = c->priority,
		.count = 1 + (uint32_t)(draw(b) % JOB_TASKS),
		.request = c->request,
		.constraints = c->constraints,
		.constraint_count = c->constraint_count,
	};
	uint32_t j;

	snprintf(name, sizeof(name), "job-%lu", (unsigned long)b->jobs++);
	snprintf(owner, sizeof(owner), "owner-%u", (unsigned)(draw(b) % b->options->owners));
	err_try(cell_submit(b->cell, &job, &j, err));
	return remember_job(b, j, job.count) < 0 ? err_set(err, ENOMEM, "submit a job") : 0;
}

/* The reading of the clock (twice 30 ns) counts into the decision. */
static int decide(struct bench *b, struct err *err)
{
	int64_t from = clock_monotonic_ns(), now;
	int r;

	while ((r = cell_decide(b->cell)) > 0) {
		now = clock_monotonic_ns();
		meter_add(&b->meter, now - from);
		b->result.decisions++;
		from = now;
	}
	if (r < 0 || b->out_of_memory)
		return err_set(err, ENOMEM, "decide");
	return 0;
}

static double fullness(const struct bench *b)
{
	struct amounts used, capacity;

	cell_use(b->cell, &used, &capacity);
	return (double)used.of[RESOURCE_CPU] / (double)capacity.of[RESOURCE_CPU];
}

static void end_some(struct bench *b)
{
	while (fullness(b) > b->options->full && b->running_count) {
		uint32_t task = b->running[draw(b) % b->running_count];
		struct task_view view;

		cell_task(b->cell, task, &view);
		cell_end_task(b->cell, task, END_FINISHED);
		if (!--b->left[view.job])
			cell_remove_job(b->cell, view.job);
	}
}

static int set_up(struct bench *b, struct err *err)
{
	struct cell_options options = { .policy = b->options->policy };

	b->classes = calloc(b->options->classes, sizeof(*b->classes));
	b->log = fopen("/dev/null", "we");
	if (!b->classes || !b->log)
		return err_set(err, ENOMEM, "set up the bench");
	setvbuf(b->log, NULL, _IOFBF, LOG_EVENTS * sizeof(struct event));
	err_try(cell_new(&options, &b->outside, &b->cell, err));
	for (uint32_t i = 0; i < b->options->classes; i++)
		draw_class(b, &b->classes[i]);
	for (uint32_t i = 0; i < b->options->machines; i++)
		err_try(add_machine(b, i, err));
	return 0;
}

/* As tasks come: one job submitted and decided after the other. */
static int fill(struct bench *b, struct err *err)
{
	struct cell_totals totals;

	if (b->options->tasks) {
		do {
			err_try(submit(b, err));
			err_try(decide(b, err));
		} while (b->result.decisions < b->options->tasks);
		return 0;
	}
	while (fullness(b) < b->options->full) {
		err_try(submit(b, err));
		err_try(decide(b, err));
	}
	cell_totals(b->cell, &totals);
	b->result.placed = totals.placed;
	b->result.infeasible = totals.infeasible;
	b->result.preempted = totals.preempted;
	return 0;
}

static int steady(struct bench *b, struct err *err)
{
	b->meter = (struct meter){ 0 };
	b->result.decisions = 0;
	while (b->result.decisions < b->options->decisions) {
		b->outside.now_ms += 10;
		err_try(submit(b, err));
		err_try(decide(b, err));
		end_some(b);
	}
	return 0;
}

static int measure(struct bench *b, struct err *err)
{
	int64_t from = clock_monotonic_ns();
	double cpu = cpu_seconds();
	struct cell_totals t;

	err_try(fill(b, err));
	b->result.fill_wall_seconds = (double)(clock_monotonic_ns() - from) / 1e9;
	b->result.fill_cpu_seconds = cpu_seconds() - cpu;
	from = clock_monotonic_ns();
	cpu = cpu_seconds();
	if (!b->options->tasks)
		err_try(steady(b, err));
	b->result.wall_seconds = (double)(clock_monotonic_ns() - from) / 1e9;
	b->result.cpu_seconds = cpu_seconds() - cpu;
	cell_totals(b->cell, &t);
	b->result.placed = t.placed - b->result.placed;
	b->result.infeasible = t.infeasible - b->result.infeasible;
	b->result.preempted = t.preempted - b->result.preempted;
	b->result.running = t.running;
	b->result.pending = t.pending;
	b->result.utilisation_cpu = fullness(b);
	b->result.utilisation_memory =
		(double)t.used.of[RESOURCE_MEMORY] / (double)t.capacity.of[RESOURCE_MEMORY];
	b->result.decision_p50_us = meter_quantile(&b->meter, 0.5) / 1000;
	b->result.decision_p99_us = meter_quantile(&b->meter, 0.99) / 1000;
	return 0;
}

int bench_run(const struct bench_options *options, struct bench_result *ret, struct err *err)
{
	struct bench b = { .options = options, .random = options->seed };
	int r;

	b.outside = (struct outside){ .random = ~options->seed, .event = on_event, .data = &b };
	r = set_up(&b, err);
	if (r == 0)
		r = measure(&b, err);
	if (r == 0)
		*ret = b.result;
	cell_free(b.cell);
	if (b.log)
		fclose(b.log);
	free(b.classes);
	free(b.running);
	free(b.place);
	free(b.left);
	return r;
}
