/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta.h"

/* Each of them gives who holds the lock, for one write, the time to end. */
#define TRIES 64

/* The file that has the name now is the one that is open. */
static bool is_current(int dirfd, int fd)
{
	struct stat open, named;

	return fstat(fd, &open) == 0 &&
	       fstatat(dirfd, EVENT_LOG_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

/* Nobody writes to it any more, once the exclusive lock is had. */
static void rotate(int dirfd, int fd)
{
	char older[16], newer[16];

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_current(dirfd, fd))
		return;
	for (int i = EVENT_LOG_FILES - 1; i > 0; i--) {
		snprintf(older, sizeof(older), EVENT_LOG_FILE ".%d", i);
		snprintf(newer, sizeof(newer), i > 1 ? EVENT_LOG_FILE ".%d" : EVENT_LOG_FILE,
			 i - 1);
		renameat(dirfd, newer, dirfd, older);
	}
}

/* The file to append to, locked against its renaming where that can be had. */
static int open_log(int dirfd)
{
	struct stat st;

	for (int i = 0;; i++) {
		_cleanup_fd_ int fd =
			openat(dirfd, EVENT_LOG_FILE,
			       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (i == TRIES)
			return take_fd(&fd);
		if (st.st_size >= EVENT_LOG_MAX_BYTES) {
			rotate(dirfd, fd);
			sched_yield();
			continue;
		}
		if (flock(fd, LOCK_SH | LOCK_NB) == 0 ? is_current(dirfd, fd)
						      : errno != EWOULDBLOCK)
			return take_fd(&fd);
		/* Who renames it, or just did, is quick. */
		sched_yield();
	}
}

static int append(const char *runroot, const char *line, size_t len)
{
	_cleanup_fd_ int dirfd = -1, fd = -1;
	char path[PATH_MAX];
	ssize_t n;

	if (layout_path(path, runroot, LAYOUT_ENGINE, NULL, NULL) < 0)
		return -ENAMETOOLONG;
	dirfd = dir_open(AT_FDCWD, path, NULL);
	fd = dirfd < 0 ? dirfd : open_log(dirfd);
	if (fd < 0)
		return fd;
	n = write(fd, line, len);
	if (n == (ssize_t)len)
		return 0;
	/* Readers skip what is no line. */
	if (n > 0 && write(fd, "\n", 1) < 0)
		return -errno;
	return n < 0 ? -errno : -ENOSPC;
}

static void format(struct json_writer *w, const struct engine_event *e)
{
	char time[CLOCK_RFC3339_SIZE];

	json_open_object(w);
	json_field_string(w, "time", clock_format(clock_realtime_ns(), time));
	json_field_string(w, "type", e->type);
	json_field_string(w, "action", e->action);
	json_field_string(w, "id", e->id);
	json_field_string(w, "name", e->name);
	json_field_string(w, "image", e->image);
	if (e->attributes && e->attributes[0]) {
		json_key(w, "attributes");
		json_open_object(w);
		for (const char *const *a = e->attributes; a[0]; a += 2)
			json_field_string(w, a[0], a[1]);
		json_close_object(w);
	}
	json_close_object(w);
}

void event_log_append(const char *runroot, const struct engine_event *event)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r;

	if (w) {
		format(w, event);
		text = json_writer_take(w, &len);
	}
	if (!text || len + 1 >= EVENT_LINE_MAX) {
		log_debug("event %s of %s: it is too long", event->action, event->type);
		return;
	}
	/* The end of the line in place of the NUL. */
	text[len] = '\n';
	r = append(runroot, text, len + 1);
	if (r < 0)
		log_debug("event %s of %s: %s", event->action, event->type, strerror(-r));
}

void event_tell_volume(const char *runroot, const char *action, const char *name)
{
	event_log_append(runroot, &(struct engine_event){
					  .type = "volume", .action = action, .name = name });
}

void event_tell_image(const char *runroot, const char *action, const char *name, const char *id)
{
	const char *const attributes[] = { id ? "id" : NULL, id, NULL };

	event_log_append(runroot, &(struct engine_event){ .type = "image",
							  .action = action,
							  .name = name,
							  .image = name,
							  .attributes = attributes });
}

void event_tell(const char *root, const char *runroot, const char *id, const char *action,
		const char *const *attributes)
{
	struct engine_event event = { "container", action, id, NULL, NULL, attributes };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int dirfd = -1;
	char path[PATH_MAX];
	struct meta meta;

	if (arena && layout_path(path, root, LAYOUT_CONTAINERS, id, NULL) == 0)
		dirfd = dir_open(AT_FDCWD, path, NULL);
	/* Better half of it than nothing. */
	if (dirfd >= 0 && meta_load(dirfd, arena, &meta, NULL) == 0) {
		event.name = meta.name;
		event.image = meta.image;
	}
	event_log_append(runroot, &event);
}
