/* SPDX-License-Identifier: Apache-2.0 */
/* celld bench */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "cmd/celld/verbs.h"
#include "scheduler/sim/bench.h"

struct bench_args {
	const char *policy, *full, *constrained, *json;
	int64_t machines, classes, tasks, decisions, seed, owners;
};

static const struct option_entry bench_options[] = {
	OPTION_INT(struct bench_args, machines, 0, "machines", 1, 1000000, "N",
		   "size of the cell (default 10000)"),
	OPTION_INT(struct bench_args, classes, 0, "classes", 1, 100000, "N",
		   "of tasks, drawn independently (default 100)"),
	OPTION_INT(struct bench_args, owners, 0, "owners", 1, 100000, "N", "of jobs (default 20)"),
	OPTION_INT(struct bench_args, tasks, 0, "tasks", 0, 100000000, "N",
		   "place so many from scratch, instead of holding a full cell"),
	OPTION_INT(struct bench_args, decisions, 0, "decisions", 1, 1000000000, "N",
		   "in the full cell (default 1000000)"),
	OPTION_STRING(struct bench_args, full, 0, "full", "FRACTION",
		      "of CPU at which departures hold the cell (default 0.85)"),
	OPTION_STRING(struct bench_args, constrained, 0, "constrained", "FRACTION",
		      "of the classes have constraints (default 0.3)"),
	OPTION_STRING(struct bench_args, policy, 0, "policy", "NAME", "as of `celld sim`"),
	OPTION_INT(struct bench_args, seed, 0, "seed", 0, INT64_MAX, "N",
		   "of all randomness (default 1)"),
	OPTION_STRING(struct bench_args, json, 0, "json", "FILE", "write the figures as JSON"),
	OPTION_END,
};

static int parse_part(const char *name, const char *text, double *to, struct err *err)
{
	char *end;

	if (!text)
		return 0;
	*to = strtod(text, &end);
	if (end == text || *end || !(*to >= 0 && *to <= 1))
		return err_say(err, EINVAL, "--%s %s: not a fraction from 0 to 1", name, text);
	return 0;
}

static uint64_t peak_rss_bytes(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_maxrss * 1024;
}

static double rate(const struct bench_result *r, double seconds)
{
	return seconds > 0 ? (double)r->decisions / seconds : 0;
}

static void print(const struct bench_options *o, const struct bench_result *r)
{
	printf("cell               %u machines, %" PRIu64 " tasks run, %" PRIu64 " wait\n",
	       o->machines, r->running, r->pending);
	printf("use                CPU %.1f %%, memory %.1f %%\n", 100 * r->utilisation_cpu,
	       100 * r->utilisation_memory);
	printf("decisions          %" PRIu64 ": %" PRIu64 " placed, %" PRIu64
	       " fit nowhere, %" PRIu64 " preempted\n",
	       r->decisions, r->placed, r->infeasible, r->preempted);
	if (o->tasks)
		printf("from scratch       %.2f s (CPU %.2f s)\n", r->fill_wall_seconds,
		       r->fill_cpu_seconds);
	else
		printf("decisions a second %.0f of wall, %.0f of CPU, departures included\n",
		       rate(r, r->wall_seconds), rate(r, r->cpu_seconds));
	printf("one decision       p50 %.2f us, p99 %.2f us\n", r->decision_p50_us,
	       r->decision_p99_us);
	printf("memory             %.0f MiB at most\n", (double)peak_rss_bytes() / (1 << 20));
}

static int write_json(const char *path, const struct bench_options *o, const struct bench_result *r,
		      struct err *err)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	double wall = o->tasks ? r->fill_wall_seconds : r->wall_seconds;
	double cpu = o->tasks ? r->fill_cpu_seconds : r->cpu_seconds;

	strbuf_addf(&sb, "{\"policy\": \"%s\", \"seed\": %" PRIu64 ", \"machines\": %u",
		    policy_name(o->policy), o->seed, o->machines);
	strbuf_addf(&sb, ", \"classes\": %u, \"running\": %" PRIu64 ", \"pending\": %" PRIu64,
		    o->classes, r->running, r->pending);
	strbuf_addf(&sb,
		    ", \"placed\": %" PRIu64 ", \"infeasible\": %" PRIu64
		    ", \"preempted\": %" PRIu64,
		    r->placed, r->infeasible, r->preempted);
	strbuf_addf(&sb, ", \"utilisation_cpu\": %.6f, \"utilisation_memory\": %.6f",
		    r->utilisation_cpu, r->utilisation_memory);
	strbuf_addf(&sb,
		    ", \"decisions\": %" PRIu64 ", \"decisions_per_second\": %.0f"
		    ", \"decisions_per_cpu_second\": %.0f",
		    r->decisions, rate(r, wall), rate(r, cpu));
	strbuf_addf(&sb, ", \"decision_p50_us\": %.3f, \"decision_p99_us\": %.3f",
		    r->decision_p50_us, r->decision_p99_us);
	strbuf_addf(&sb,
		    ", \"wall_seconds\": %.3f, \"cpu_seconds\": %.3f"
		    ", \"peak_rss_bytes\": %" PRIu64 "}\n",
		    wall, cpu, peak_rss_bytes());
	if (!strbuf_ok(&sb))
		return err_set(err, ENOMEM, "write %s", path);
	return file_replace(AT_FDCWD, path, sb.data, sb.len, 0644, false, err);
}

static int bench_verb(int argc, char **argv, struct err *err)
{
	struct bench_args args = {
		.machines = 10000, .classes = 100, .decisions = 1000000, .seed = 1, .owners = 20
	};
	struct bench_options options = { .full = 0.85, .constrained = 0.3 };
	struct bench_result result;
	int policy, r;
	char **words;
	size_t count;

	r = options_parse(&verb_bench.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	policy = args.policy ? policy_find(args.policy) : POLICY_STRAND;
	if (policy < 0)
		return err_say(err, EINVAL, "there is no policy '%s', see 'celld sim --help'",
			       args.policy);
	err_try(parse_part("full", args.full, &options.full, err));
	err_try(parse_part("constrained", args.constrained, &options.constrained, err));
	options.policy = (enum policy)policy;
	options.seed = (uint64_t)args.seed;
	options.machines = (uint32_t)args.machines;
	options.classes = (uint32_t)args.classes;
	options.owners = (uint32_t)args.owners;
	options.tasks = (uint64_t)args.tasks;
	options.decisions = (uint64_t)args.decisions;
	err_try(bench_run(&options, &result, err));
	print(&options, &result);
	return args.json ? write_json(args.json, &options, &result, err) : 0;
}

const struct verb verb_bench = {
	.command = {
		.name = "celld bench",
		.summary = "measure decisions in a synthetic cell",
		.details = "  celld bench --machines 50000\n"
			   "  celld bench --machines 10000 --tasks 150000",
		.options = bench_options,
	},
	.run = bench_verb,
};
