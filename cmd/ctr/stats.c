/* SPDX-License-Identifier: Apache-2.0 */
/* ctr stats: what running containers use, once or live. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/table.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/quantity.h"
#include "runtime/shim/client.h"

#define SAMPLE_MS 500 /* between the two looks of which one figure is made */
#define LIVE_MS 1000

struct stats_args {
	bool no_stream;
	const char *format;
};

/* One container; its client stays connected. */
struct sample {
	char id[65], name[130];
	struct shim_client *client;
	bool alive;
	struct shim_stats last, now;
	int64_t last_ns, now_ns;
};

struct stats {
	struct engine *engine;
	char **names; /* asked for; empty: all that run */
	struct sample *samples;
	size_t count;
	bool json, live;
};

static void stats_deinit(struct stats *stats)
{
	for (size_t i = 0; i < stats->count; i++)
		shim_close(stats->samples[i].client);
	free(stats->samples);
	engine_close(stats->engine);
}

static int add(void *data, const struct engine_container *c)
{
	struct stats *stats = data;
	struct sample *samples;

	if (strcmp(c->status, "running") != 0 && strcmp(c->status, "paused") != 0)
		return 0;
	samples = realloc(stats->samples, (stats->count + 1) * sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	stats->samples = samples;
	samples += stats->count;
	*samples = (struct sample){ .alive = true };
	snprintf(samples->id, sizeof(samples->id), "%s", c->id);
	snprintf(samples->name, sizeof(samples->name), "%s", c->name);
	/* One whose shim died cannot be asked; it is not shown. */
	if (engine_connect(stats->engine, c, &samples->client, NULL) == 0)
		stats->count++;
	return 0;
}

static int gather(struct stats *stats, struct err *err)
{
	int r = 0;

	if (!*stats->names)
		r = engine_each(stats->engine, add, stats, err);
	for (char **name = stats->names; *name && r == 0; name++) {
		_cleanup_engine_container_ struct engine_container *c = NULL;
		size_t before = stats->count;

		r = engine_find(stats->engine, *name, &c, err);
		if (r == 0)
			r = add(stats, c);
		if (r == 0 && stats->count == before)
			r = err_say(err, ESRCH, "container %s is not running", c->name);
	}
	return r == -ENOMEM ? err_set(err, ENOMEM, "gather statistics") : r;
}

static void look(struct stats *stats)
{
	for (size_t i = 0; i < stats->count; i++) {
		struct sample *s = &stats->samples[i];

		if (!s->alive)
			continue;
		s->last = s->now;
		s->last_ns = s->now_ns;
		s->alive = shim_stats(s->client, s->id, &s->now, NULL) == 0;
		s->now_ns = clock_monotonic_ns();
	}
}

/* Thousandths of one processor between the two looks. */
static int64_t millicpu(const struct sample *s)
{
	int64_t wall = s->now_ns - s->last_ns;

	return wall > 0 && s->now.cpu_usage_ns >= s->last.cpu_usage_ns
		       ? (int64_t)(s->now.cpu_usage_ns - s->last.cpu_usage_ns) * 1000 / wall
		       : 0;
}

static char *of_limit(uint64_t used, uint64_t limit, char buf[static 2 * QUANTITY_TEXT_SIZE])
{
	char a[QUANTITY_TEXT_SIZE], b[QUANTITY_TEXT_SIZE] = "-";

	/* v1 writes "no limit" as a number close to 2^63. */
	if (limit < UINT64_C(1) << 60)
		quantity_format_bytes(limit, b);
	snprintf(buf, 2 * QUANTITY_TEXT_SIZE, "%s / %s", quantity_format_bytes(used, a), b);
	return buf;
}

static void print_table(const struct stats *stats)
{
	static const char *const head[] = { "CONTAINER ID",   "NAME",		"CPU %",
					    "MEMORY / LIMIT", "READ / WRITTEN", "PIDS" };
	_cleanup_table_ struct table table = { .columns = ARRAY_SIZE(head) };
	char memory[2 * QUANTITY_TEXT_SIZE], io[2 * QUANTITY_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_add(&table, "%s", head[i]);
	for (size_t i = 0; i < stats->count; i++) {
		const struct sample *s = &stats->samples[i];
		int64_t cpu = millicpu(s);

		if (!s->alive)
			continue;
		table_add(&table, "%.12s", s->id);
		table_add(&table, "%s", s->name);
		table_add(&table, "%" PRId64 ".%" PRId64, cpu / 10, cpu % 10);
		table_add(&table, "%s",
			  of_limit(s->now.memory_usage_bytes, s->now.memory_limit_bytes, memory));
		table_add(&table, "%s", of_limit(s->now.io_read_bytes, s->now.io_write_bytes, io));
		table_add(&table, "%" PRIu64, s->now.pids_current);
	}
	table_print(&table, stdout);
}

static void put_sample(struct json_writer *w, const struct sample *s)
{
	json_open_object(w);
	json_field_string(w, "id", s->id);
	json_field_string(w, "name", s->name);
	json_field_i64(w, "cpu_millicpu", millicpu(s));
	json_field_u64(w, "cpu_usage_ns", s->now.cpu_usage_ns);
	json_field_u64(w, "memory_usage_bytes", s->now.memory_usage_bytes);
	if (s->now.memory_limit_bytes < UINT64_C(1) << 60)
		json_field_u64(w, "memory_limit_bytes", s->now.memory_limit_bytes);
	json_field_u64(w, "pids_current", s->now.pids_current);
	if (s->now.pids_limit != UINT64_MAX)
		json_field_u64(w, "pids_limit", s->now.pids_limit);
	json_field_u64(w, "io_read_bytes", s->now.io_read_bytes);
	json_field_u64(w, "io_write_bytes", s->now.io_write_bytes);
	json_close_object(w);
}

static int print_json(const struct stats *stats, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);

	if (!w)
		return err_set(err, ENOMEM, "print statistics");
	json_open_array(w);
	for (size_t i = 0; i < stats->count; i++)
		if (stats->samples[i].alive)
			put_sample(w, &stats->samples[i]);
	json_close_array(w);
	return show_json(w, err);
}

static bool some_alive(const struct stats *stats)
{
	for (size_t i = 0; i < stats->count; i++)
		if (stats->samples[i].alive)
			return true;
	return false;
}

/* Lets time pass, as figures are made of it. True when the person has had enough. */
static bool pause_for(int signal_fd, int ms)
{
	struct pollfd fd = { .fd = signal_fd, .events = POLLIN };

	return poll(&fd, 1, ms) > 0;
}

static int show(struct stats *stats, struct err *err)
{
	_cleanup_fd_ int signal_fd = -1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	look(stats);
	while (!(stats->count && pause_for(signal_fd, stats->live ? LIVE_MS : SAMPLE_MS))) {
		look(stats);
		if (stats->json)
			return print_json(stats, err);
		if (stats->live)
			fputs("\033[H\033[J", stdout); /* home, clear to the end */
		print_table(stats);
		fflush(stdout);
		if (!stats->live || !some_alive(stats))
			break;
	}
	return 0;
}

static int stats_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(stats_deinit) struct stats stats = { 0 };
	struct stats_args args = { 0 };
	size_t count;
	int r = options_parse(&verb_stats.command, argc, argv, &args, &stats.names, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = show_parse_format(args.format, &stats.json, err);
	stats.live = !stats.json && !args.no_stream && isatty(STDOUT_FILENO);
	if (r == 0)
		r = ctr_open(ctr, &stats.engine, err);
	if (r == 0)
		r = gather(&stats, err);
	return r < 0 ? r : show(&stats, err);
}

static const struct option_entry stats_options[] = {
	OPTION_BOOL(struct stats_args, no_stream, 0, "no-stream", "once, also on a terminal"),
	OPTION_STRING(struct stats_args, format, 0, "format", "FORMAT",
		      "table (default), or json, once"),
	OPTION_END,
};

const struct verb verb_stats = {
	.command = {
		.name = "ctr stats",
		.args = "[CONTAINER...]",
		.summary = "show what running containers use",
		.details = "Live on a terminal, until Ctrl-C; once elsewhere. 100 % is one processor.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr stats\n"
			   "  ctr stats --format json web | jq '.[0].memory_usage_bytes'",
		.options = stats_options,
		.args_max = SIZE_MAX,
	},
	.run = stats_verb,
};
