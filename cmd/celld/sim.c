/* SPDX-License-Identifier: Apache-2.0 */
/* celld sim */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/celld/explain.h"
#include "cmd/celld/verbs.h"
#include "scheduler/sim/chart.h"
#include "scheduler/sim/report.h"
#include "scheduler/sim/search.h"

#define SMALLEST_MOST 100000
#define CHECKPOINT_MAX ((size_t)16 << 30)

struct sim_args {
	const char *format, *tasks, *machines, *policy, *refuse, *snapshot, *sample, *pending,
		*json, *record, *replay, *fault, *svg, *checkpoint_out, *from, *why;
	struct options_list shapes;
	int64_t count, seed, orders, until;
	bool smallest, compact, check;
};

static const struct option_entry sim_options[] = {
	OPTION_STRING(struct sim_args, format, 0, "format", "F",
		      "of the trace: azure-v1, openb, huawei or cellar"),
	OPTION_STRING(struct sim_args, tasks, 0, "tasks", "FILE", "CSV of tasks, plain or gzip"),
	OPTION_STRING(struct sim_args, machines, 0, "machines", "FILE", "CSV of machines"),
	OPTION_LIST(struct sim_args, shapes, 0, "shape", "CPU_MILLI:MEMORY_MIB",
		    "machines of this shape; several: in equal numbers"),
	OPTION_INT(struct sim_args, count, 0, "count", 1, SMALLEST_MOST, "N", "machines"),
	OPTION_STRING(struct sim_args, policy, 0, "policy", "NAME",
		      "strand (default), best-fit, worst-fit, e-pvm, hybrid, nomad, kubernetes"),
	OPTION_INT(struct sim_args, seed, 0, "seed", 0, INT64_MAX, "N",
		   "of all randomness (default 1)"),
	OPTION_BOOL(struct sim_args, smallest, 0, "smallest",
		    "find the fewest machines that refuse no task"),
	OPTION_STRING(struct sim_args, refuse, 0, "refuse", "FRACTION",
		      "with --smallest: at most this part of the tasks"),
	OPTION_STRING(struct sim_args, snapshot, 0, "snapshot", "peak|SECONDS",
		      "only the tasks alive then, in order of arrival"),
	OPTION_BOOL(struct sim_args, compact, 0, "compact",
		    "squeeze the cell: fewest machines for a sample of the tasks"),
	OPTION_STRING(struct sim_args, sample, 0, "sample", "FRACTION",
		      "with --compact: of the tasks (default 0.6)"),
	OPTION_INT(struct sim_args, orders, 0, "orders", 1, 1000, "N",
		   "with --compact: random orders (default 11)"),
	OPTION_STRING(struct sim_args, pending, 0, "pending", "FRACTION",
		      "with --compact: may stay pending (default 0.002)"),
	OPTION_STRING(struct sim_args, fault, 0, "fault", "SCRIPT",
		      "machines and racks that go down and up, see docs/simulator.md"),
	OPTION_STRING(struct sim_args, replay, 0, "replay", "FILE",
		      "compare every event with what --record wrote"),
	OPTION_STRING(struct sim_args, record, 0, "record", "FILE", "write every event to a file"),
	OPTION_INT(struct sim_args, until, 0, "until", 1, INT64_MAX / 1000, "SECONDS",
		   "stop there, in simulated time"),
	OPTION_STRING(struct sim_args, checkpoint_out, 0, "checkpoint-out", "FILE",
		      "write the state at the end of the run"),
	OPTION_STRING(struct sim_args, from, 0, "from", "CHECKPOINT",
		      "go on from such a state of the same trace"),
	OPTION_STRING(struct sim_args, why, 0, "why", "JOB[/INDEX]",
		      "tell why the task is pending at the end of the run"),
	OPTION_STRING(struct sim_args, svg, 0, "svg", "FILE",
		      "draw use over time, and the cell at its fullest"),
	OPTION_STRING(struct sim_args, json, 0, "json", "FILE", "write the figures as JSON"),
	OPTION_BOOL(struct sim_args, check, 0, "check",
		    "check all invariants after every decision (slow)"),
	OPTION_END,
};

static int parse_fraction(const char *name, const char *text, double otherwise, double *ret,
			  struct err *err)
{
	char *end;

	*ret = otherwise;
	if (!text)
		return 0;
	*ret = strtod(text, &end);
	if (end == text || *end || !(*ret >= 0 && *ret <= 1))
		return err_say(err, EINVAL, "--%s %s: not a fraction from 0 to 1", name, text);
	return 0;
}

static int need(const char *value, const char *option, struct err *err)
{
	return value ? 0 : err_say(err, EINVAL, "%s is needed, see 'celld sim --help'", option);
}

/* ---- machines ---- */

static int make_shapes(void *data, struct trace *trace, size_t machines, struct err *err)
{
	const struct sim_args *args = data;

	return trace_make_machines(trace, args->shapes.items, args->shapes.count, machines, err);
}

/* Huawei's racks stand in a file beside the machines. */
static int read_racks(struct trace *trace, const char *machines, struct err *err)
{
	const char *slash = strrchr(machines, '/');
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*stopology.csv", slash ? (int)(slash - machines + 1) : 0,
		 machines);
	return trace_read_racks(trace, path, err);
}

static int read_machines(struct sim_args *args, struct trace *trace, struct err *err)
{
	if (args->machines) {
		err_try(trace_read_machines(trace, args->format, args->machines, err));
		return strcmp(args->format, "huawei") == 0 ? read_racks(trace, args->machines, err)
							   : 0;
	}
	if (!args->shapes.count)
		return err_say(err, EINVAL,
			       "--machines FILE or --shape CPU_MILLI:MEMORY_MIB is "
			       "needed");
	if (!args->count && !args->smallest)
		return err_say(err, EINVAL, "--shape needs --count N, or --smallest");
	return make_shapes(args, trace, args->count ? (size_t)args->count : SMALLEST_MOST, err);
}

static int take_snapshot(const char *at, struct trace *trace, struct err *err)
{
	char *end;
	long long seconds;

	if (strcmp(at, "peak") == 0) {
		trace_snapshot(trace, trace_peak_ms(trace));
		return 0;
	}
	seconds = strtoll(at, &end, 10);
	if (end == at || *end || seconds < 0)
		return err_say(err, EINVAL, "--snapshot %s: 'peak' or seconds", at);
	trace_snapshot(trace, seconds * 1000);
	return 0;
}

/* ---- experiments ---- */

static int run_smallest(struct sim_args *args, struct trace *trace, struct run_options options,
			struct run_result *ret, struct err *err)
{
	struct search search = { .trace = trace,
				 .options = options,
				 .most = trace->machine_count,
				 .progress = options.progress };
	double refuse;

	err_try(parse_fraction("refuse", args->refuse, 0, &refuse, err));
	search.options.progress = false;
	search.options.refuse = true;
	search.options.refuse_limit = (uint64_t)(refuse * (double)trace->task_count);
	if (!args->machines) {
		search.make = make_shapes;
		search.make_data = args;
	}
	return search_smallest(&search, ret, err);
}

static int run_compact(struct sim_args *args, struct trace *trace, struct run_options options,
		       struct run_result *ret, struct err *err)
{
	struct compaction c = { .trace = trace,
				.options = options,
				.orders = args->orders ? (unsigned)args->orders : 11,
				.progress = options.progress };

	c.options.progress = false;
	err_try(parse_fraction("sample", args->sample, 0.6, &c.sample, err));
	err_try(parse_fraction("pending", args->pending, 0.002, &c.pending, err));
	return search_compaction(&c, ret, err);
}

static int at_end(void *data, const struct run *run, struct err *err)
{
	const struct sim_args *args = data;
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	if (args->checkpoint_out) {
		err_try(run_save(run, &bytes, &len, err));
		err_try(file_replace(AT_FDCWD, args->checkpoint_out, bytes, len, 0644, false, err));
	}
	return args->why ? explain(run_cell(run), args->why, stdout, err) : 0;
}

static int run_once(struct sim_args *args, struct trace *trace, struct run_options options,
		    struct run_result *ret, struct err *err)
{
	_cleanup_free_ char *bytes = NULL;
	struct trace_peak peak;

	if (trace_peak(trace, &peak) < 0)
		return err_set(err, ENOMEM, "look through the trace");
	/* What knows no time fills the cell: there is nothing to wait for. */
	options.refuse = !trace->timed && !args->why;
	options.refuse_limit = UINT64_MAX;
	options.until_ms = args->until * 1000;
	options.finished = at_end;
	options.finished_data = args;
	if (args->from) {
		err_try(file_read(AT_FDCWD, args->from, CHECKPOINT_MAX, &bytes, &options.from_len,
				  err));
		options.from = bytes;
	}
	err_try(run_trace(trace, trace->machine_count, NULL, &options, ret, err));
	ret->lower_bound = run_lower_bound(trace, &peak, NULL, 1);
	return 0;
}

static int write_json(const char *path, const struct run_result *result, struct err *err)
{
	_cleanup_free_ char *text = report_json(result);

	if (!text)
		return err_set(err, ENOMEM, "write %s", path);
	return file_replace(AT_FDCWD, path, text, strlen(text), 0644, false, err);
}

static int run_all(struct sim_args *args, struct trace *trace, struct run_options options,
		   struct err *err)
{
	struct run_result result;

	err_try(trace_read_tasks(trace, args->format, args->tasks, err));
	err_try(read_machines(args, trace, err));
	if (args->snapshot)
		err_try(take_snapshot(args->snapshot, trace, err));
	if (args->compact)
		err_try(run_compact(args, trace, options, &result, err));
	else if (args->smallest)
		err_try(run_smallest(args, trace, options, &result, err));
	else
		err_try(run_once(args, trace, options, &result, err));
	report_table(&result, stdout);
	return args->json ? write_json(args->json, &result, err) : 0;
}

/* What says nothing beside the others is a mistake. */
static int check_together(const struct sim_args *args, struct err *err)
{
	const char *wrong = NULL;

	if (args->smallest && args->compact)
		wrong = "--smallest and --compact exclude each other";
	else if (args->machines && args->shapes.count)
		wrong = "--machines and --shape exclude each other";
	else if (args->count && !args->shapes.count)
		wrong = "--count is for --shape";
	else if (args->refuse && !args->smallest)
		wrong = "--refuse is for --smallest";
	else if ((args->sample || args->orders || args->pending) && !args->compact)
		wrong = "--sample, --orders and --pending are for --compact";
	return wrong ? err_say(err, EINVAL, "%s, see 'celld sim --help'", wrong) : 0;
}

static int check_args(const struct sim_args *args, struct run_options *options, struct err *err)
{
	int policy = args->policy ? policy_find(args->policy) : POLICY_STRAND;

	err_try(need(args->format, "--format F", err));
	err_try(need(args->tasks, "--tasks FILE", err));
	if (policy < 0)
		return err_say(err, EINVAL, "there is no policy '%s', see 'celld sim --help'",
			       args->policy);
	err_try(check_together(args, err));
	options->policy = (enum policy)policy;
	options->seed = (uint64_t)args->seed;
	options->progress = isatty(STDERR_FILENO);
	options->check = args->check;
	return 0;
}

/* One run makes one log. */
static int open_logs(const struct sim_args *args, FILE **record, FILE **replay, struct err *err)
{
	bool single = args->record || args->replay || args->svg || args->from || args->why ||
		      args->checkpoint_out || args->until;

	if (single && (args->smallest || args->compact))
		return err_say(err, EINVAL,
			       "--record, --replay, --svg, --until, --checkpoint-out, --from and "
			       "--why are for a single run");
	if (args->record && !(*record = fopen(args->record, "we")))
		return err_set(err, errno, "open %s", args->record);
	if (args->replay && !(*replay = fopen(args->replay, "re")))
		return err_set(err, errno, "open %s", args->replay);
	return 0;
}

static int sim_verb(int argc, char **argv, struct err *err)
{
	struct sim_args args = { .seed = 1 };
	struct run_options options = { 0 };
	_cleanup_file_ FILE *record = NULL, *replay = NULL;
	struct fault_script faults = { 0 };
	struct chart chart = { 0 };
	struct trace trace = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_sim.command, argc, argv, &args, &words, &count, err);

	if (r == 0)
		r = check_args(&args, &options, err);
	if (r == 0)
		r = open_logs(&args, &record, &replay, err);
	options.record = record;
	options.replay = replay;
	if (r == 0 && args.fault) {
		r = fault_read(args.fault, &faults, err);
		options.faults = &faults;
	}
	if (args.svg) {
		options.watch = chart_watch;
		options.watch_data = &chart;
	}
	if (r == 0)
		r = run_all(&args, &trace, options, err);
	if (r == 0 && args.svg)
		r = chart_write(&chart, args.svg, err);
	if (r == 0 && record && fflush(record) == EOF)
		r = err_set(err, errno, "write %s", args.record);
	chart_deinit(&chart);
	fault_deinit(&faults);
	trace_deinit(&trace);
	options_list_deinit(&args.shapes);
	return r > 0 ? VERB_HELP : r;
}

const struct verb verb_sim = {
	.command = {
		.name = "celld sim",
		.summary = "run a trace through the placement core",
		.details = "Whole traces run in simulated time. Priorities of azure-v1 are synthetic: "
			   "three batches\nin ten are best-effort batch.\n\n"
			   "  celld sim --format azure-v1 --tasks vms.csv.gz --shape 64000:196608 "
			   "--smallest\n"
			   "  celld sim --format openb --tasks pods.csv --machines nodes.csv --compact",
		.options = sim_options,
	},
	.run = sim_verb,
};
