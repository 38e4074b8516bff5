/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "scheduler/sim/progress.h"
#include "scheduler/sim/run_state.h"

#define MIB (1 << 20)

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 +
	       (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

/* ---- what the cell tells ---- */

static void started(struct run *run, const struct event *e)
{
	const struct trace *trace = run->trace;
	uint32_t at = trace->jobs[run->trace_job[e->job]].first + e->index;
	const struct trace_task *task = &trace->tasks[at];

	run->result.placed++;
	if (!run->starts[at]++)
		meter_add(&run->waits_ms, e->time_ms - task->arrive_ms);
	if (task->end_ms != TRACE_NEVER)
		run->out_of_memory |=
			endings_push(&run->endings,
				     (struct ending){ e->time_ms + task->end_ms - task->arrive_ms,
						      e->task, at, run->starts[at], 0 }) < 0;
}

/* The first line that differs is kept: the run's error. */
static void log_event(struct run *run, const struct event *event)
{
	char text[EVENT_TEXT_SIZE], was[EVENT_TEXT_SIZE + 1];

	event_format(event, text);
	if (run->options->record)
		fputs(text, run->options->record);
	if (!run->options->replay || run->differs_at)
		return;
	if (!fgets(was, sizeof(was), run->options->replay))
		was[0] = '\0';
	if (strcmp(was, text) != 0)
		run->differs_at = run->lines;
}

/* The log must be at its end, too. */
static int check_replay(struct run *run, struct err *err)
{
	if (!run->options->replay)
		return 0;
	/* Only a whole run has to come to the end of the log. */
	if (!run->differs_at && !run->options->until_ms && fgetc(run->options->replay) != EOF)
		run->differs_at = run->lines + 1;
	if (run->differs_at)
		return err_say(err, EUCLEAN, "the replay differs from the log at line %zu",
			       run->differs_at);
	return 0;
}

static void on_event(void *data, const struct event *event)
{
	struct run *run = data;

	run->lines++;
	if (run->options->record || run->options->replay)
		log_event(run, event);
	if (event->kind == EVENT_PLACE)
		started(run, event);
	if (event->kind == EVENT_PREEMPT)
		run->result.preempted++;
}

/* ---- steps ---- */

static int decide(struct run *run, struct err *err)
{
	int64_t from = clock_monotonic_ns(), now;
	int r;

	while ((r = cell_decide(run->cell)) > 0) {
		now = clock_monotonic_ns();
		meter_add(&run->decisions_ns, now - from);
		run->result.decision_seconds += (double)(now - from) / 1e9;
		run->result.decisions++;
		from = now;
		if (run->options->check && cell_check(run->cell, err) < 0)
			return err_add(err, "after a decision");
	}
	if (r == 0 && run->out_of_memory)
		r = -ENOMEM;
	return r < 0 ? err_set(err, -r, "decide") : 0;
}

static void end_one(struct run *run)
{
	struct ending e = endings_pop(&run->endings);
	uint32_t job = run->trace->tasks[e.trace_task].job;
	struct task_view view;

	/* Preempted since: it runs again from its beginning, with an ending of its own. */
	if (run->starts[e.trace_task] != e.start)
		return;
	cell_task(run->cell, e.task, &view);
	if (view.state != TASK_RUNNING)
		return;
	cell_end_task(run->cell, e.task, END_FINISHED);
	if (!--run->left[job])
		cell_remove_job(run->cell, view.job);
}

/* Turns away what of the job was not placed. */
static void refuse(struct run *run, uint32_t job, uint32_t trace_job)
{
	uint32_t count = run->trace->jobs[trace_job].count;
	struct task_view view;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t task = cell_job_task(run->cell, job, i);

		cell_task(run->cell, task, &view);
		if (view.state != TASK_PENDING)
			continue;
		cell_end_task(run->cell, task, END_KILLED);
		run->result.refused++;
		run->left[trace_job]--;
	}
	if (!run->left[trace_job])
		cell_remove_job(run->cell, job);
}

static int arrive(struct run *run, uint32_t j, struct err *err)
{
	uint64_t placed = run->result.placed;
	uint32_t job;
	int r = run_submit(run, j, &job, err);

	if (r == 0)
		r = decide(run, err);
	if (r == 0 && run->options->refuse &&
	    run->result.placed - placed < run->trace->jobs[j].count)
		refuse(run, job, j);
	return r;
}

/* Remembers how full the cell is when it is fullest. */
static void look(struct run *run)
{
	struct run_result *result = &run->result;
	struct cell_totals t;
	double cpu;

	if (run->options->watch)
		run->options->watch(run->options->watch_data, run->cell, run->outside.now_ms);
	cell_use(run->cell, &t.used, &t.capacity);
	cpu = (double)t.used.of[RESOURCE_CPU] / (double)t.capacity.of[RESOURCE_CPU];
	if (cpu < run->peak * 1.001)
		return;
	run->peak = cpu;
	cell_totals(run->cell, &t);
	result->utilisation_cpu = cpu;
	result->utilisation_memory =
		(double)t.used.of[RESOURCE_MEMORY] / (double)t.capacity.of[RESOURCE_MEMORY];
	result->utilisation_devices =
		t.devices ? (double)t.devices_used_milli / DEVICE_WHOLE / t.devices : 0;
	result->stranded_cpu_milli = t.stranded_cpu_milli;
	result->stranded_memory_mib = t.stranded_memory_bytes / MIB;
}

static int64_t next_ms(const struct run *run)
{
	const struct trace *trace = run->trace;
	const struct fault_script *faults = run->options->faults;
	int64_t next = cell_next_ms(run->cell), ending = endings_next_ms(&run->endings);
	int64_t arrival = INT64_MAX;

	if (run->job < trace->job_count)
		arrival = trace->tasks[trace->jobs[run->job].first].arrive_ms;
	next = ending < next ? ending : next;
	if (faults && run->fault < faults->count && faults->faults[run->fault].at_ms < next)
		next = faults->faults[run->fault].at_ms;
	return arrival < next ? arrival : next;
}

static int replay(struct run *run, struct err *err)
{
	const struct trace *trace = run->trace;
	int64_t now, until_ms = run->options->until_ms ? run->options->until_ms : INT64_MAX - 1;
	int r = 0;

	while (r == 0 && !run->result.stopped && (now = next_ms(run)) <= until_ms) {
		run->outside.now_ms = now;
		while (endings_next_ms(&run->endings) <= now)
			end_one(run);
		if (run->options->faults)
			fault_apply(run->options->faults, &run->fault, run->cell, now);
		r = decide(run, err);
		while (r == 0 && run->job < trace->job_count &&
		       trace->tasks[trace->jobs[run->job].first].arrive_ms <= now &&
		       !run->result.stopped) {
			r = arrive(run, (uint32_t)run->job++, err);
			run->result.stopped = run->options->refuse &&
					      run->result.refused > run->options->refuse_limit;
		}
		look(run);
		if (run->options->progress)
			progress_show(run->job, trace->job_count, now);
	}
	return r;
}

/* ---- set-up ---- */

static int add_machines(struct run *run, size_t machines, const uint32_t *order, struct err *err)
{
	const struct trace *trace = run->trace;
	int r = 0;

	for (size_t i = 0; r == 0 && i < machines; i++)
		r = cell_add_machine(run->cell, &trace->machines[order ? order[i] : i], NULL, err);
	return r;
}

/* What was logged before the state was saved. */
static int skip_log(struct run *run, struct err *err)
{
	char line[EVENT_TEXT_SIZE + 1];

	for (size_t i = 0; run->options->replay && i < run->lines; i++)
		if (!fgets(line, sizeof(line), run->options->replay))
			return err_say(err, EUCLEAN,
				       "the log ends at line %zu, before the checkpoint", i);
	return 0;
}

static int set_up(struct run *run, size_t machines, const uint32_t *order, struct err *err)
{
	struct cell_options options = { .policy = run->options->policy,
					.no_preemption = run->options->refuse };
	const struct trace *trace = run->trace;
	int r;

	run->outside =
		(struct outside){ .random = run->options->seed, .event = on_event, .data = run };
	run->left = calloc(trace->job_count + 1, sizeof(*run->left));
	run->starts = calloc(trace->task_count + 1, sizeof(*run->starts));
	if (!run->left || !run->starts)
		return err_set(err, ENOMEM, "run a trace");
	if (run->options->from) {
		r = run_load(run, run->options->from, run->options->from_len, err);
		return r < 0 ? r : skip_log(run, err);
	}
	r = cell_new(&options, &run->outside, &run->cell, err);
	if (r == 0)
		r = add_machines(run, machines, order, err);
	/* A search for the number of machines tries fewer than are named, too. */
	if (r == 0 && run->options->faults && !run->options->refuse)
		r = fault_check(run->options->faults, run->cell, err);
	return r;
}

static void tear_down(struct run *run)
{
	cell_free(run->cell);
	free(run->trace_job);
	free(run->left);
	free(run->starts);
	endings_deinit(&run->endings);
}

static void finish(struct run *run, int64_t from_ns, double from_cpu)
{
	struct run_result *result = &run->result;
	struct cell_totals totals;

	cell_totals(run->cell, &totals);
	if (!run->options->refuse)
		result->refused = totals.pending;
	result->pending_p50_s = meter_quantile(&run->waits_ms, 0.5) / 1000;
	result->pending_p99_s = meter_quantile(&run->waits_ms, 0.99) / 1000;
	result->decision_p99_us = meter_quantile(&run->decisions_ns, 0.99) / 1000;
	result->wall_seconds = (double)(clock_monotonic_ns() - from_ns) / 1e9;
	result->cpu_seconds = cpu_seconds() - from_cpu;
}

int run_trace(const struct trace *trace, size_t machines, const uint32_t *order,
	      const struct run_options *options, struct run_result *ret, struct err *err)
{
	struct run run = { .trace = trace, .options = options };
	int64_t from_ns = clock_monotonic_ns();
	double from_cpu = cpu_seconds();
	int r;

	run.result.policy = options->policy;
	run.result.seed = options->seed;
	run.result.machines = machines;
	run.result.tasks = trace->task_count;
	r = set_up(&run, machines, order, err);
	if (r == 0)
		r = replay(&run, err);
	if (r == 0)
		r = check_replay(&run, err);
	if (r == 0) {
		finish(&run, from_ns, from_cpu);
		*ret = run.result;
		r = options->finished ? options->finished(options->finished_data, &run, err) : 0;
	}
	if (options->progress)
		progress_done();
	tear_down(&run);
	return r;
}

struct cell *run_cell(const struct run *run)
{
	return run->cell;
}

/* Where there are too few, more like them. */
static const struct machine_spec *machine_at(const struct trace *trace, const uint32_t *order,
					     size_t n)
{
	n %= trace->machine_count;
	return &trace->machines[order ? order[n] : n];
}

/* More like them never do if none has any of what is asked for. */
static size_t bound_most(const struct trace *trace, const struct trace_peak *peak)
{
	bool cpu = false, memory = false, devices = false;

	for (size_t n = 0; n < trace->machine_count; n++) {
		const struct machine_spec *m = &trace->machines[n];

		cpu = cpu || m->capacity.of[RESOURCE_CPU];
		memory = memory || m->capacity.of[RESOURCE_MEMORY];
		devices = devices || m->device_count;
	}
	return (cpu || !peak->amounts.of[RESOURCE_CPU]) &&
			       (memory || !peak->amounts.of[RESOURCE_MEMORY]) &&
			       (devices || !peak->devices_milli) && trace->machine_count
		       ? SIZE_MAX
		       : trace->machine_count;
}

size_t run_lower_bound(const struct trace *trace, const struct trace_peak *peak,
		       const uint32_t *order, double part)
{
	double cpu = 0, memory = 0, devices = 0;
	size_t n = 0, most = bound_most(trace, peak);

	while (n < most && (cpu < part * (double)peak->amounts.of[RESOURCE_CPU] ||
			    memory < part * (double)peak->amounts.of[RESOURCE_MEMORY] ||
			    devices < part * (double)peak->devices_milli)) {
		const struct machine_spec *m = machine_at(trace, order, n);

		cpu += (double)m->capacity.of[RESOURCE_CPU];
		memory += (double)m->capacity.of[RESOURCE_MEMORY];
		devices += m->device_count * (double)DEVICE_WHOLE;
		n++;
	}
	return n;
}
