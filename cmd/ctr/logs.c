/* SPDX-License-Identifier: Apache-2.0 */
/* ctr logs: what a container wrote. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/ctr/log_reader.h"
#include "cmd/ctr/verbs.h"
#include "runtime/shim/client.h"

struct logs_args {
	bool follow, timestamps;
	const char *tail; /* a number, or "all" */
};

/* Everything that is in the file now. */
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

/* Until the container has ended (the waiter turns readable) and all it wrote is copied. */
static int follow(struct log_reader *reader, int fd, const char *path, int waiter_fd)
{
	_cleanup_fd_ int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd fds[] = { { .fd = notify, .events = POLLIN },
				{ .fd = waiter_fd, .events = POLLIN } };
	char events[4096];
	int r;

	if (notify < 0 || inotify_add_watch(notify, path, IN_MODIFY | IN_DELETE_SELF) < 0)
		return errno == ENOENT ? 0 : -errno;
	for (;;) {
		r = copy(reader, fd);
		if (r < 0 || fds[1].revents)
			return r;
		r = poll(fds, 2, -1);
		if (r < 0 && errno != EINTR)
			return -errno;
		while (read(notify, events, sizeof(events)) > 0)
			;
	}
}

/* Lines to leave out so that tail are left. */
static int count_skip(int fd, const char *tail, size_t *ret, struct err *err)
{
	size_t want, lines = 0;
	struct stat st;
	char *end;
	void *map;

	*ret = 0;
	if (!tail || strcmp(tail, "all") == 0 || strcmp(tail, "-1") == 0)
		return 0;
	want = strtoul(tail, &end, 10);
	if (!*tail || *end || *tail == '-')
		return err_say(err, EINVAL, "--tail: \"%s\" is neither a number nor all", tail);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "read the log");
	if (st.st_size) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			return err_set(err, errno, "read the log");
		lines = log_reader_count(map, (size_t)st.st_size);
		munmap(map, (size_t)st.st_size);
	}
	*ret = lines > want ? lines - want : 0;
	return 0;
}

static int show(struct engine *engine, const struct engine_container *c,
		const struct logs_args *args, struct err *err)
{
	_cleanup_(log_reader_deinit) struct log_reader reader = { .out = stdout,
								  .err = stderr,
								  .timestamps = args->timestamps };
	_cleanup_shim_client_ struct shim_client *waiter = NULL;
	_cleanup_fd_ int fd = open(c->log_path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open %s", c->log_path);
	r = count_skip(fd, args->tail, &reader.skip, err);
	if (r < 0)
		return r;
	/* Without a shim nobody writes any more. */
	if (args->follow && strcmp(c->status, "exited") != 0 &&
	    engine_connect(engine, c, &waiter, NULL) == 0)
		r = shim_wait_begin(waiter, c->id, NULL, NULL);
	r = waiter && r == 0 ? follow(&reader, fd, c->log_path, shim_fd(waiter))
			     : copy(&reader, fd);
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
			   "  ctr logs -t -n 20 web",
		.options = logs_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = logs_verb,
};
