/* SPDX-License-Identifier: Apache-2.0 */
/* ctr logs: what a container wrote. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/ctr/log_files.h"
#include "cmd/ctr/log_reader.h"
#include "cmd/ctr/moment.h"
#include "cmd/ctr/verbs.h"
#include "runtime/shim/client.h"

#define MS_NS 1000000

struct logs_args {
	bool follow, timestamps;
	const char *tail; /* a number, or "all" */
	const char *since, *until;
};

struct logs {
	const char *path;
	struct log_reader reader;
	struct log_files files; /* the last one is read on while following */
	int notify_fd;
};

static void logs_deinit(struct logs *logs)
{
	log_reader_deinit(&logs->reader);
	log_files_close(&logs->files);
	cleanup_fd(&logs->notify_fd);
}

/* Everything that is in the file from where it is read. */
static int copy(struct log_reader *reader, int fd)
{
	char buffer[65536];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		r = n < 0 ? 0 : log_reader_feed(reader, buffer, (size_t)n);
	}
	return r;
}

static int copy_all(struct log_reader *reader, const struct log_files *files)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->count; i++)
		r = copy(reader, files->fds[i]);
	return r;
}

/* The file that was read on was left by its writer: goes on with those begun since. */
static int follow_rotation(struct logs *logs)
{
	struct log_files files = { 0 };
	bool gap;
	int r = log_files_open_after(logs->path, logs->files.fds[logs->files.count - 1], &files,
				     &gap, NULL);

	if (r < 0 || files.count == 0)
		return r;
	/* Its last words came after we had looked, but before the next file was begun. */
	r = copy(&logs->reader, logs->files.fds[logs->files.count - 1]);
	if (gap)
		fprintf(stderr, "ctr: logs: the log was rotated away faster than it could be "
				"shown; some of it is missing\n");
	log_files_close(&logs->files);
	logs->files = files;
	return r < 0 ? r : copy_all(&logs->reader, &logs->files);
}

/* All there is now, over as many rotations as there were. */
static int catch_up(struct logs *logs)
{
	int last, r;

	if (logs->files.count == 0) {
		r = log_files_open(logs->path, &logs->files, NULL);
		return r < 0 ? r : copy_all(&logs->reader, &logs->files);
	}
	r = copy(&logs->reader, logs->files.fds[logs->files.count - 1]);
	do {
		last = logs->files.fds[logs->files.count - 1];
		if (r == 0)
			r = follow_rotation(logs);
	} while (r == 0 && last != logs->files.fds[logs->files.count - 1]);
	return r;
}

/* The folder, because files come and go in it. */
static int watch(struct logs *logs)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(logs->path, '/');

	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - logs->path), logs->path);
	logs->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (logs->notify_fd < 0 || inotify_add_watch(logs->notify_fd, folder,
						     IN_MODIFY | IN_MOVED_TO | IN_DELETE_SELF) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 0;
}

/* Milliseconds until --until is reached; -1: never. */
static int patience(const struct log_reader *reader)
{
	int64_t left_ms;

	if (!reader->until_ns)
		return -1;
	left_ms = (reader->until_ns - clock_realtime_ns()) / MS_NS + 1;
	return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Until the container has ended (the waiter turns readable) and all it wrote is copied. */
static int follow(struct logs *logs, int waiter_fd)
{
	struct pollfd fds[] = { { .fd = -1, .events = POLLIN },
				{ .fd = waiter_fd, .events = POLLIN } };
	char events[4096];
	int r = watch(logs);

	fds[0].fd = logs->notify_fd;
	while (r == 0) {
		int wait_ms = patience(&logs->reader);

		r = catch_up(logs);
		if (r < 0 || fds[1].revents || logs->reader.past || wait_ms == 0)
			return r;
		if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
			return -errno;
		while (read(logs->notify_fd, events, sizeof(events)) > 0)
			;
	}
	return r;
}

static int parse_tail(const char *tail, size_t *ret, struct err *err)
{
	char *end;

	*ret = SIZE_MAX;
	if (!tail || strcmp(tail, "all") == 0 || strcmp(tail, "-1") == 0)
		return 0;
	*ret = strtoul(tail, &end, 10);
	if (!*tail || *end || *tail == '-')
		return err_say(err, EINVAL, "--tail: \"%s\" is neither a number nor all", tail);
	return 0;
}

/* Leaves out so many lines that those wanted are left. */
static int skip_to_tail(struct logs *logs, size_t want, struct err *err)
{
	_cleanup_(log_reader_deinit) struct log_reader counter = {
		.since_ns = logs->reader.since_ns, .until_ns = logs->reader.until_ns
	};
	int r = copy_all(&counter, &logs->files);

	if (r < 0)
		return err_set(err, -r, "read the log");
	for (size_t i = 0; i < logs->files.count; i++)
		if (lseek(logs->files.fds[i], 0, SEEK_SET) < 0)
			return err_set(err, errno, "read the log");
	logs->reader.skip = counter.lines > want ? counter.lines - want : 0;
	return 0;
}

static int parse_times(const struct logs_args *args, struct log_reader *ret, struct err *err)
{
	int64_t now_ns = clock_realtime_ns();

	if (args->since && moment_parse(args->since, now_ns, &ret->since_ns, err) < 0)
		return err_add(err, "--since");
	if (args->until && moment_parse(args->until, now_ns, &ret->until_ns, err) < 0)
		return err_add(err, "--until");
	return 0;
}

static int show(struct engine *engine, const struct engine_container *c,
		const struct logs_args *args, struct err *err)
{
	_cleanup_(logs_deinit) struct logs logs = {
		.path = c->log_path,
		.reader = { .out = stdout, .err = stderr, .timestamps = args->timestamps },
		.notify_fd = -1,
	};
	_cleanup_shim_client_ struct shim_client *waiter = NULL;
	size_t tail;
	int r = parse_tail(args->tail, &tail, err);

	/* Without a shim nobody writes any more, or there is one from now on. */
	if (r == 0 && strcmp(c->status, "exited") != 0 &&
	    engine_connect(engine, c, &waiter, NULL) == 0 && args->follow)
		shim_wait_begin(waiter, c->id, NULL, NULL);
	if (r == 0)
		r = parse_times(args, &logs.reader, err);
	if (r == 0)
		r = log_files_open(logs.path, &logs.files, err);
	if (r == 0 && tail != SIZE_MAX)
		r = skip_to_tail(&logs, tail, err);
	if (r < 0)
		return r;
	r = copy_all(&logs.reader, &logs.files);
	if (r == 0 && waiter && args->follow)
		r = follow(&logs, shim_fd(waiter));
	return r < 0 && r != -EPIPE ? err_set(err, -r, "show the log of container %s", c->name) : 0;
}

static int logs_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	struct logs_args args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_logs.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_find(engine, words[0], &c, err);
	return r < 0 ? r : show(engine, c, &args, err);
}

static const struct option_entry logs_options[] = {
	OPTION_BOOL(struct logs_args, follow, 'f', "follow", "go on until the container ends"),
	OPTION_STRING(struct logs_args, since, 0, "since", "TIME",
		      "what was written from then on: 10m (ago), 2026-11-22T16:00:00Z"),
	OPTION_STRING(struct logs_args, until, 0, "until", "TIME", "what was written before then"),
	OPTION_STRING(struct logs_args, tail, 'n', "tail", "LINES",
		      "only the last ones (default all)"),
	OPTION_BOOL(struct logs_args, timestamps, 't', "timestamps",
		    "the time in front of each line"),
	OPTION_END,
};

const struct verb verb_logs = {
	.command = {
		.name = "ctr logs",
		.args = "CONTAINER",
		.summary = "show what a container wrote",
		.details = "What it wrote to stderr goes to stderr.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr logs -f web\n"
			   "  ctr logs -t -n 20 web\n"
			   "  ctr logs --since 10m --until 5m web",
		.options = logs_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = logs_verb,
};
