/* SPDX-License-Identifier: Apache-2.0 */
/* ctr events: what happens to containers, images and volumes, as it happens. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "cmd/ctr/event_line.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/log_files.h"
#include "cmd/ctr/moment.h"
#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/layout.h"

#define MS_NS INT64_C(1000000)
/* The kernel gives a user 128 watches of this kind; without one there is only looking. */
#define LOOK_MS 200

struct events_args {
	const char *since, *until, *format;
	struct options_list filters;
};

struct events {
	char path[PATH_MAX];
	struct log_files files;
	struct strbuf rest; /* the beginning of a line */
	struct event_filter filter;
	bool json, past; /* past: one of after --until was seen */
	int notify_fd;
};

static void events_deinit(struct events *events)
{
	log_files_close(&events->files);
	strbuf_deinit(&events->rest);
	event_filter_deinit(&events->filter);
	cleanup_fd(&events->notify_fd);
}

static void take_lines(struct events *events)
{
	char *line = events->rest.data, *end;

	while (line && (end = strchr(line, '\n'))) {
		*end = '\0';
		events->past |= event_line_show(line, &events->filter, events->json) > 0;
		line = end + 1;
	}
	if (line && line != events->rest.data) {
		events->rest.len = strlen(line);
		memmove(events->rest.data, line, events->rest.len + 1);
	}
}

/* What the file has behind what was read of it. A NUL in it, which nobody writes, ends a line. */
static int copy(struct events *events, int fd)
{
	char data[16384];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			data[i] = data[i] ? data[i] : '\n';
		strbuf_add(&events->rest, data, (size_t)n);
		if (!strbuf_ok(&events->rest))
			return -ENOMEM;
		take_lines(events);
	}
	return n < 0 ? -errno : 0;
}

static int copy_all(struct events *events)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < events->files.count; i++)
		r = copy(events, events->files.fds[i]);
	return r;
}

/* Those that followed the one that was the newest. */
static int follow_rotation(struct events *events)
{
	struct log_files files = { 0 };
	bool gap;
	int r = log_files_open_after(events->path, events->files.fds[events->files.count - 1],
				     &files, &gap, NULL);

	if (r < 0 || files.count == 0)
		return r;
	/* Writers had let go of it before it got a successor: this is the rest. */
	r = copy(events, events->files.fds[events->files.count - 1]);
	log_files_close(&events->files);
	events->files = files;
	return r < 0 ? r : copy_all(events);
}

static int catch_up(struct events *events)
{
	int r;

	if (events->files.count == 0) {
		r = log_files_open(events->path, &events->files, NULL);
		return r < 0 ? r : copy_all(events);
	}
	r = copy(events, events->files.fds[events->files.count - 1]);
	return r < 0 ? r : follow_rotation(events);
}

static void watch(struct events *events)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(events->path, '/') - events->path),
		 events->path);
	events->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (events->notify_fd >= 0 &&
	    inotify_add_watch(events->notify_fd, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		close(take_fd(&events->notify_fd));
}

/* Until --until is reached, or nobody reads what we write. */
static int follow(struct events *events)
{
	struct pollfd fds[] = { { .events = POLLIN }, { .fd = STDOUT_FILENO, .events = 0 } };
	char news[4096];
	int r = 0;

	watch(events);
	fds[0].fd = events->notify_fd;
	for (;;) {
		int64_t until_ns = events->filter.until_ns, left_ms = INT_MAX;
		int wait_ms = events->notify_fd < 0 ? LOOK_MS : -1;

		r = catch_up(events);
		if (fflush(stdout) < 0 || ferror(stdout))
			return -EPIPE;
		if (until_ns)
			left_ms = (until_ns - clock_realtime_ns()) / MS_NS + 1;
		if (r < 0 || events->past || left_ms <= 0 || fds[1].revents)
			return r;
		if (until_ns && (wait_ms < 0 || left_ms < wait_ms))
			wait_ms = left_ms > INT_MAX ? INT_MAX : (int)left_ms;
		if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
			return -errno;
		while (read(events->notify_fd, news, sizeof(news)) > 0)
			;
	}
}

static int prepare(const struct events_args *args, struct engine *engine, struct events *events,
		   struct err *err)
{
	int64_t now_ns = clock_realtime_ns();
	char folder[PATH_MAX];

	/* What was before is not told unless asked for. */
	events->filter.since_ns = now_ns;
	if (args->until && !args->since)
		events->filter.since_ns = 0;
	if (args->since && moment_parse(args->since, now_ns, &events->filter.since_ns, err) < 0)
		return err_add(err, "--since");
	if (args->until && moment_parse(args->until, now_ns, &events->filter.until_ns, err) < 0)
		return err_add(err, "--until");
	for (size_t i = 0; i < args->filters.count; i++)
		if (event_filter_add(&events->filter, args->filters.items[i], err) < 0)
			return err_add(err, "--filter");
	err_try(show_parse_format(args->format, &events->json, err));
	err_try(layout_path(events->path, engine_runroot(engine), LAYOUT_ENGINE, EVENT_LOG_FILE,
			    err));
	err_try(layout_path(folder, engine_runroot(engine), LAYOUT_ENGINE, NULL, err));
	return dir_create(AT_FDCWD, folder, 0711, err);
}

static int events_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_(events_deinit) struct events events = { .notify_fd = -1 };
	_cleanup_engine_ struct engine *engine = NULL;
	struct events_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_events.command, argc, argv, &args, &words, &count, err);

	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = prepare(&args, engine, &events, err);
	options_list_deinit(&args.filters);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = follow(&events);
	return r < 0 && r != -EPIPE ? err_set(err, -r, "read %s", events.path) : 0;
}

/* clang-format off */
static const struct option_entry events_options[] = {
	OPTION_STRING(struct events_args, since, 0, "since", "TIME", "begin there, and not now: a time, or how long ago"),
	OPTION_STRING(struct events_args, until, 0, "until", "TIME", "end there; in the past: with what is known already"),
	OPTION_LIST(struct events_args, filters, 'f', "filter", "KEY=VALUE", "only those of container=, event=, image=, type=, volume="),
	OPTION_STRING(struct events_args, format, 0, "format", "FORMAT", "table (default), a line each, or json, an object a line"),
	OPTION_END,
};
/* clang-format on */

const struct verb verb_events = {
	.command = {
		.name = "ctr events",
		.summary = "show what happens to containers, images and volumes",
		.details = "Filters of one key: one of them is to hold; of several keys: all.\n\n"
			   "Examples:\n"
			   "  ctr events --since 10m --until 0s\n"
			   "  ctr events -f container=web -f event=die -f event=oom\n"
			   "  ctr events --format json | jq -r .action",
		.options = events_options,
		.hints = foreign_events_options,
	},
	.run = events_verb,
};
