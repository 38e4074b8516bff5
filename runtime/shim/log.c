/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"

#define RECORDS_MAX 64 /* in one write */
#define HEAD_MAX 64    /* time, stream and tag of a record */

struct shim_log {
	char *path; /* owned */
	int fd;
	int64_t max_bytes; /* -1: no limit */
	unsigned max_files;
	int64_t size; /* of the file, as far as we know */
	/* What is missing, and the reason. */
	uint64_t dropped_lines, dropped_bytes;
	int dropped_code;
	bool torn; /* a half record stands at the end and could not be taken away */
};

static int open_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	return fd < 0 ? -errno : fd;
}

int shim_log_open(const struct shim_log_options *options, struct shim_log **ret, struct err *err)
{
	struct shim_log *log = calloc(1, sizeof(*log));
	struct stat st;

	if (!log)
		return err_set(err, ENOMEM, "open log %s", options->path);
	log->max_bytes = options->max_bytes ? options->max_bytes : SHIM_LOG_MAX_BYTES_DEFAULT;
	log->max_files = options->max_files ? options->max_files : SHIM_LOG_MAX_FILES_DEFAULT;
	log->path = strdup(options->path);
	log->fd = log->path ? open_file(log->path, 0) : -ENOMEM;
	if (log->fd < 0) {
		int code = -log->fd;

		log->fd = -1;
		shim_log_free(log);
		return err_set(err, code, "open log %s", options->path);
	}
	if (fstat(log->fd, &st) == 0)
		log->size = st.st_size;
	*ret = log;
	return 0;
}

struct shim_log *shim_log_free(struct shim_log *log)
{
	if (!log)
		return NULL;
	cleanup_fd(&log->fd);
	free(log->path);
	free(log);
	return NULL;
}

/* ---- rotation ---- */

static bool numbered(const struct shim_log *log, unsigned n, char buf[static PATH_MAX])
{
	int len = n ? snprintf(buf, PATH_MAX, "%s.%u", log->path, n)
		    : snprintf(buf, PATH_MAX, "%s", log->path);

	return len < PATH_MAX;
}

/* Makes room for a new PATH; the oldest file goes. Files that are missing leave gaps that close. */
static int shift(const struct shim_log *log)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (unsigned n = log->max_files - 1; n > 0; n--) {
		if (!numbered(log, n - 1, from) || !numbered(log, n, to))
			return -ENAMETOOLONG;
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* The new file is opened before the old one is moved, so that a log that cannot be rotated (a full
 * disk has no room for a name) goes on growing instead of ending. */
static void rotate(struct shim_log *log)
{
	char fresh[PATH_MAX];
	int fd;

	if (snprintf(fresh, sizeof(fresh), "%s.new", log->path) >= (int)sizeof(fresh))
		return;
	fd = open_file(fresh, O_TRUNC);
	if (fd < 0)
		return;
	if (shift(log) < 0 || rename(fresh, log->path) < 0) {
		unlink(fresh);
		close(fd);
		return;
	}
	close(log->fd);
	log->fd = fd;
	log->size = 0;
	log->torn = false;
}

/* ---- records ---- */

static size_t format_head(const char *stream, char tag, char buf[static HEAD_MAX])
{
	char time[CLOCK_RFC3339_SIZE];

	clock_format(clock_realtime_ns(), time);
	return (size_t)snprintf(buf, HEAD_MAX, "%s %.15s %c ", time, stream, tag);
}

/* Like writev, but all of it; changes the vector. ret_done counts also on failure. */
static int write_vector(int fd, struct iovec *iov, int count, size_t *ret_done)
{
	*ret_done = 0;
	while (count) {
		ssize_t n = writev(fd, iov, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		*ret_done += (size_t)n;
		while (count && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* A record that is there in part would swallow the next one. The file may be shorter than we think,
 * if somebody emptied it: what we wrote stands at its end. */
static void take_back(struct shim_log *log, size_t done)
{
	struct stat st;

	if (!done)
		return;
	if (fstat(log->fd, &st) < 0 || st.st_size < (off_t)done ||
	    ftruncate(log->fd, st.st_size - (off_t)done) < 0)
		log->torn = true;
}

/* Whole records, all or none. */
static int write_records(struct shim_log *log, struct iovec *iov, int count)
{
	size_t done;
	int r;

	if (log->torn) {
		if (write(log->fd, "\n", 1) != 1)
			return -ENOSPC;
		log->torn = false;
		log->size++;
	}
	r = write_vector(log->fd, iov, count, &done);
	if (r < 0)
		take_back(log, done);
	else
		log->size += (int64_t)done;
	return r;
}

static int write_marker(struct shim_log *log)
{
	char head[HEAD_MAX], text[160];
	struct iovec iov[2];
	int r;

	iov[0] = (struct iovec){ head, format_head("shim", 'F', head) };
	iov[1].iov_base = text;
	iov[1].iov_len = (size_t)snprintf(
		text, sizeof(text), "%llu line%s (%llu bytes) of output were dropped: %.60s\n",
		(unsigned long long)log->dropped_lines, log->dropped_lines == 1 ? "" : "s",
		(unsigned long long)log->dropped_bytes, strerror(log->dropped_code));
	r = write_records(log, iov, 2);
	if (r == 0)
		log->dropped_lines = log->dropped_bytes = 0;
	return r;
}

static void drop(struct shim_log *log, const char *data, const char *end, int code)
{
	log->dropped_bytes += (uint64_t)(end - data);
	log->dropped_code = code;
	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));

		log->dropped_lines++;
		data = newline ? newline + 1 : end;
	}
}

struct heads {
	char text[2][HEAD_MAX]; /* of a whole line, and of a part */
	size_t len[2];
};

/* As many records as fit into one write. Returns how many entries of iov they take. */
static int cut_records(const struct heads *heads, const char **data, const char *end,
		       struct iovec *iov)
{
	int count = 0;

	while (*data < end && count < RECORDS_MAX * 2) {
		const char *newline = memchr(*data, '\n', (size_t)(end - *data));
		const char *stop = newline ? newline + 1 : end;
		bool partial = !newline;

		iov[count++] = (struct iovec){ (char *)(uintptr_t)heads->text[partial],
					       heads->len[partial] };
		iov[count++] = (struct iovec){ (char *)(uintptr_t)*data, (size_t)(stop - *data) };
		*data = stop;
		if (partial)
			iov[count++] = (struct iovec){ (char *)(uintptr_t) "\n", 1 };
	}
	return count;
}

/* Each write stands in one file. */
static void make_room(struct shim_log *log, const struct iovec *iov, int count)
{
	int64_t total = 0;

	for (int i = 0; i < count; i++)
		total += (int64_t)iov[i].iov_len;
	if (log->max_bytes >= 0 && log->size > 0 && log->size + total > log->max_bytes)
		rotate(log);
}

void shim_log_note(struct shim_log *log, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	strcat(text, "\n");
	shim_log_append(log, "shim", text, strlen(text), NULL);
}

int64_t shim_log_size(const struct shim_log *log)
{
	return log->size;
}

void shim_log_truncate(struct shim_log *log, int64_t size)
{
	struct stat st;

	/* A shorter file was begun after that. */
	if (fstat(log->fd, &st) == 0 && st.st_size > size && ftruncate(log->fd, size) == 0)
		log->size = size;
}

static void set_mark(const struct shim_log *log, uint64_t *mark, size_t done)
{
	if (mark)
		__atomic_store_n(mark, shim_log_mark(log->size, done), __ATOMIC_SEQ_CST);
}

int shim_log_append(struct shim_log *log, const char *stream, const void *data, size_t len,
		    uint64_t *mark)
{
	const char *p = data, *end = p + len;
	struct heads heads;
	int result = 0;

	for (int i = 0; i < 2; i++)
		heads.len[i] = format_head(stream, i ? 'P' : 'F', heads.text[i]);
	while (p < end) {
		struct iovec iov[RECORDS_MAX * 2 + 1];
		const char *first = p;
		int count = cut_records(&heads, &p, end, iov), r = 0;

		make_room(log, iov, count);
		if (log->dropped_bytes)
			r = write_marker(log);
		set_mark(log, mark, (size_t)(first - (const char *)data));
		if (r == 0)
			r = write_records(log, iov, count);
		if (r < 0) {
			drop(log, first, p, -r);
			result = r;
		}
		set_mark(log, mark, (size_t)(p - (const char *)data));
	}
	return result;
}
