/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum sink { SINK_FILE, SINK_SYSLOG, SINK_JOURNAL };

static struct {
	enum sink sink;
	int fd;
	const char *identifier;
	enum log_format format;
	enum log_level level;
} log_state = { .fd = STDERR_FILENO, .format = LOG_FORMAT_TEXT, .level = LOG_LEVEL_INFO };

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static const int syslog_priorities[] = {
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_ERROR] = LOG_ERR,
};

static int open_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? err_set(err, errno, "open log %s", path) : fd;
}

static int open_journal(struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, errno, "open a socket for the journal");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		err_set(err, errno, "reach the journal at %s", JOURNAL_SOCKET);
		close(fd);
		return -err->code;
	}
	return fd;
}

/* What stands behind "syslog:" and the like, or NULL when it is another word. */
static const char *behind(const char *target, const char *word)
{
	size_t len = strlen(word);

	return strncmp(target, word, len) == 0 ? target + len : NULL;
}

int log_open(const char *target, enum log_format format, struct err *err)
{
	enum sink sink = SINK_FILE;
	const char *identifier = NULL, *path;
	int fd = STDERR_FILENO;

	if (target && (identifier = behind(target, "syslog:"))) {
		sink = SINK_SYSLOG;
		openlog(identifier, LOG_PID, LOG_USER);
	} else if (target && (identifier = behind(target, "journald:"))) {
		sink = SINK_JOURNAL;
		fd = open_journal(err);
	} else if (target) {
		path = behind(target, "file:");
		fd = open_file(path ? path : target, err);
	}
	if (fd < 0)
		return fd;
	if (log_state.fd != STDERR_FILENO)
		close(log_state.fd);
	log_state.sink = sink;
	log_state.identifier = identifier;
	log_state.fd = fd;
	log_state.format = format;
	return 0;
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

enum log_level log_get_level(void)
{
	return log_state.level;
}

/* Quotes as JSON does, which logfmt readers accept as well. Returns the bytes written. */
static size_t quote(char *out, size_t size, const char *in)
{
	size_t n = 0;

	for (; *in && n + 8 < size; in++) {
		unsigned char c = (unsigned char)*in;

		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c == '\n') {
			out[n++] = '\\';
			out[n++] = 'n';
		} else if (c < 0x20) {
			n += (size_t)snprintf(out + n, size - n, "\\u%04x", c);
		} else {
			out[n++] = (char)c;
		}
	}
	out[n] = '\0';
	return n;
}

static void write_file(enum log_level level, const char *msg)
{
	char quoted[4096], line[4400], when[CLOCK_RFC3339_SIZE];
	int len;

	quote(quoted, sizeof(quoted), msg);
	clock_format(clock_realtime_ns(), when);
	if (log_state.format == LOG_FORMAT_JSON)
		len = snprintf(line, sizeof(line),
			       "{\"level\":\"%s\",\"msg\":\"%s\",\"time\":\"%s\"}\n",
			       level_names[level], quoted, when);
	else
		len = snprintf(line, sizeof(line), "time=\"%s\" level=%s msg=\"%s\"\n", when,
			       level_names[level], quoted);
	if (len > 0 && write(log_state.fd, line, (size_t)len) < 0)
		return; /* nobody is left to tell */
}

/* Fields as systemd.journal-fields(7) names them; a field ends with its line, so newlines go. */
static void write_journal(enum log_level level, const char *msg)
{
	char text[2304];
	size_t head = (size_t)snprintf(text, sizeof(text),
				       "PRIORITY=%d\nSYSLOG_IDENTIFIER=%.128s\nMESSAGE=",
				       syslog_priorities[level], log_state.identifier);
	int len = snprintf(text + head, sizeof(text) - head - 1, "%s", msg);

	for (char *c = text + head; *c; c++)
		if (*c == '\n')
			*c = ' ';
	head += (size_t)len;
	text[head] = '\n';
	if (send(log_state.fd, text, head + 1, MSG_NOSIGNAL) < 0)
		return; /* nobody is left to tell */
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char msg[2048];
	va_list ap;

	if (level < log_state.level)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (log_state.sink == SINK_SYSLOG)
		syslog(syslog_priorities[level], "%s", msg);
	else if (log_state.sink == SINK_JOURNAL)
		write_journal(level, msg);
	else
		write_file(level, msg);
}
