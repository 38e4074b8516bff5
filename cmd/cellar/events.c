/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: statistics as lines of JSON, every so often or once, and a line when the kernel killed a
 * process for want of memory. The shape is that of runc's, whose callers parse it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cgroups/cgroup.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct args {
	bool stats;
	const char *interval;
};

static const struct option_entry options[] = {
	OPTION_BOOL(struct args, stats, 0, "stats", "print the statistics once and return"),
	OPTION_STRING(struct args, interval, 0, "interval", "TIME",
		      "time between two statistics: 500ms, 5s, 1m (default 5s)"),
	OPTION_END,
};

static void put_pids(struct json_writer *w, const struct cgroup_stats *s)
{
	json_key(w, "pids");
	json_open_object(w);
	json_field_u64(w, "current", s->pids_current);
	if (s->pids_limit != UINT64_MAX)
		json_field_u64(w, "limit", s->pids_limit);
	json_close_object(w);
}

static void put_cpu(struct json_writer *w, const struct cgroup_stats *s)
{
	json_key(w, "cpu");
	json_open_object(w);
	json_key(w, "usage");
	json_open_object(w);
	json_field_u64(w, "total", s->cpu_usage_ns);
	json_field_u64(w, "kernel", s->cpu_system_ns);
	json_field_u64(w, "user", s->cpu_user_ns);
	json_close_object(w);
	json_key(w, "throttling");
	json_open_object(w);
	json_field_u64(w, "periods", s->cpu_periods);
	json_field_u64(w, "throttledPeriods", s->cpu_throttled_periods);
	json_field_u64(w, "throttledTime", s->cpu_throttled_ns);
	json_close_object(w);
	json_close_object(w);
}

static void put_memory(struct json_writer *w, const struct cgroup_stats *s)
{
	json_key(w, "memory");
	json_open_object(w);
	json_key(w, "usage");
	json_open_object(w);
	json_field_u64(w, "limit", s->memory_limit_bytes);
	json_field_u64(w, "usage", s->memory_usage_bytes);
	json_field_u64(w, "max", s->memory_peak_bytes);
	json_field_u64(w, "failcnt", 0);
	json_close_object(w);
	json_key(w, "raw");
	json_open_object(w);
	json_field_u64(w, "total_inactive_file", s->memory_inactive_file_bytes);
	json_field_u64(w, "oom_kill", s->oom_kills);
	json_close_object(w);
	json_close_object(w);
}

static void put_io(struct json_writer *w, const struct cgroup_stats *s)
{
	const struct {
		const char *op;
		uint64_t value;
	} rows[] = { { "Read", s->io_read_bytes }, { "Write", s->io_write_bytes } };

	json_key(w, "blkio");
	json_open_object(w);
	json_key(w, "ioServiceBytesRecursive");
	json_open_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_open_object(w);
		json_field_string(w, "op", rows[i].op);
		json_field_u64(w, "value", rows[i].value);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}

/* stats: NULL for an event without data. */
static int print_event(const char *type, const char *id, const struct cgroup_stats *stats,
		       struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;

	if (!w)
		return err_set(err, ENOMEM, "events");
	json_open_object(w);
	json_field_string(w, "type", type);
	json_field_string(w, "id", id);
	if (stats) {
		json_key(w, "data");
		json_open_object(w);
		put_cpu(w, stats);
		put_memory(w, stats);
		put_pids(w, stats);
		put_io(w, stats);
		json_close_object(w);
	}
	json_close_object(w);
	text = json_writer_take(w, NULL);
	if (!text)
		return err_set(err, ENOMEM, "events");
	/* A reader that is gone ends us. */
	if (printf("%s\n", text) < 0 || fflush(stdout) != 0)
		return err_set(err, errno, "write an event");
	return 0;
}

/* "5s", "1m30s", "500ms", also "5" alone as seconds. */
static int parse_interval(const char *text, int64_t *ret_ms, struct err *err)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {
		{ "ms", 1 }, { "us", 0.001 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }
	};
	double total = 0;
	const char *at = text;

	while (*at) {
		char *end;
		double n = strtod(at, &end);
		size_t i = 0;

		if (end == at || n < 0)
			break;
		while (i < ARRAY_SIZE(units) &&
		       strncmp(end, units[i].unit, strlen(units[i].unit)) != 0)
			i++;
		if (i == ARRAY_SIZE(units) && (*end || at != text))
			break;
		total += n * (i < ARRAY_SIZE(units) ? units[i].ms : 1000);
		at = end + (i < ARRAY_SIZE(units) ? strlen(units[i].unit) : 0);
	}
	if (*at || at == text || total < 1 || total > 1e9)
		return err_say(err, EINVAL, "--interval: '%s' is no time such as 500ms or 5s",
			       text);
	*ret_ms = (int64_t)total;
	return 0;
}

/*
 * The counter of kills is looked at ten times a second: the kernel's event for it is a watch of
 * memory.events, and inotify has 128 instances a user.
 */
static int follow(struct container *c, const struct cgroup *cgroup, int64_t interval_ms,
		  struct err *err)
{
	struct pollfd p = { .fd = container_pidfd(c), .events = POLLIN };
	int64_t step_ms = interval_ms < 100 ? interval_ms : 100, next_ns = 0;
	uint64_t kills = UINT64_MAX;

	for (;;) {
		struct cgroup_stats stats = { 0 };
		int64_t now_ns = clock_monotonic_ns();

		if (cgroup_stats(cgroup, &stats, NULL) < 0)
			return 0;
		if (stats.oom_kills > kills)
			err_try(print_event("oom", container_id(c), NULL, err));
		kills = stats.oom_kills;
		if (p.revents)
			return 0;
		if (now_ns >= next_ns) {
			err_try(print_event("stats", container_id(c), &stats, err));
			next_ns = now_ns + interval_ms * 1000000;
		}
		if (poll(&p, 1, (int)step_ms) < 0 && errno != EINTR)
			return err_set(err, errno, "wait for container %s", container_id(c));
	}
}

static int run(const struct cellar_globals *globals, int argc, char **argv, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	struct args a = { .interval = "5s" };
	struct cgroup_stats stats = { 0 };
	const struct cgroup *cgroup;
	int64_t interval_ms;
	char **args;
	size_t count;
	int r = verb_parse(&verb_events, argc, argv, &a, &args, &count, err);

	if (r != 0)
		return r;
	err_try(parse_interval(a.interval, &interval_ms, err));
	err_try(container_open(globals->root, args[0], &c, err));
	cgroup = container_cgroup(c);
	if (container_status(c) == OCI_STOPPED || !cgroup)
		return err_say(err, ESRCH, "container with id %s is not running", args[0]);
	err_try(cgroup_stats(cgroup, &stats, err));
	if (!a.stats)
		return follow(c, cgroup, interval_ms, err);
	return print_event("stats", args[0], &stats, err);
}

const struct verb verb_events = {
	.command = { .name = "cellar events",
		     .args = "ID",
		     .summary = "print statistics and OOM kills of a container as JSON",
		     .options = options,
		     .flags = VERB_OPTIONS,
		     .args_min = 1,
		     .args_max = 1 },
	.run = run,
};
