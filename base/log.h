/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One log per process, in the two formats that callers of an OCI runtime parse. Library code logs
 * at debug, and at warn only where a host lacks something and we go on without it; errors are
 * returned, and cmd prints them.
 */
#pragma once

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/*
 * target: NULL for stderr; "syslog:NAME" and "journald:NAME" for the system's logs, with NAME as
 * the identifier (stays the caller's); else "PATH" or "file:PATH", a file that is appended to and
 * created with mode 0644.
 */
int log_open(const char *target, enum log_format format, struct err *err);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* In text: `time="RFC3339" level=warning msg="..."`; in JSON: {"level":..,"msg":..,"time":..}. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)                                           \
	do {                                                     \
		if (log_get_level() <= LOG_LEVEL_DEBUG)          \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
