/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

#define BYTES_MAX ((off_t)10 << 20)
#define FILES 5
#define NS_PER_MS INT64_C(1000000)

struct audit {
	char *path;
	bool failing; /* and that was told */
};

struct audit *audit_new(const char *path)
{
	struct audit *audit = calloc(1, sizeof(*audit));

	if (audit && !(audit->path = strdup(path)))
		return audit_free(audit);
	return audit;
}

struct audit *audit_free(struct audit *audit)
{
	if (audit)
		free(audit->path);
	free(audit);
	return NULL;
}

static char *format(const struct caller *caller, int r, const struct err *err, const char *what,
		    size_t *ret_len)
{
	static const char *const roles[] = {
		[CALLER_OWNER] = "owner",
		[CALLER_OPERATOR] = "operator",
		[CALLER_TASK] = "task",
	};
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_i64(w, "time_ms", clock_realtime_ns() / NS_PER_MS);
	json_field_string(w, "who", caller->name);
	json_field_string(w, "role", roles[caller->role]);
	if (caller->uid != CALLER_NO_UID)
		json_field_u64(w, "uid", caller->uid);
	json_field_string(w, "what", what);
	json_field_string(w, "result", r < 0 ? "refused" : "done");
	if (r < 0 && err)
		json_field_string(w, "why", err->text);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

static void rotate(const struct audit *audit)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;

	if (stat(audit->path, &st) < 0 || st.st_size < BYTES_MAX)
		return;
	for (int i = FILES; i > 0; i--) {
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%d", audit->path, i - 1);
		else
			snprintf(from, sizeof(from), "%s", audit->path);
		snprintf(to, sizeof(to), "%s.%d", audit->path, i);
		rename(from, to);
	}
}

static int append(const struct audit *audit, const char *line, size_t len)
{
	_cleanup_fd_ int fd =
		open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd_write_all(fd, line, len);
}

void audit_write(struct audit *audit, const struct caller *caller, int r, const struct err *err,
		 const char *what)
{
	size_t len = 0;
	_cleanup_free_ char *text = format(caller, r, err, what, &len);
	int written = text ? 0 : -ENOMEM;

	rotate(audit);
	if (text) {
		/* In place of its NUL: whole lines only. */
		text[len] = '\n';
		written = append(audit, text, len + 1);
	}
	if (written < 0 && !audit->failing)
		log_error("%s: %s: what is asked for is not written down", audit->path,
			  strerror(-written));
	audit->failing = written < 0;
}
