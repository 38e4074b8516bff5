/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to containers, images and volumes, for `ctr events`: RUNROOT/.engine/events, a JSON
 * object a line, appended by whoever did it (ctr, a shim). There is no daemon that could tell.
 *
 * Theory of operation. A line is one write(2) with O_APPEND, so lines of many writers stand one
 * behind the other, and who is killed leaves a line or none. A file that has grown to 1 MiB becomes
 * events.1, and that events.2, which is the last. Writers hold a shared lock (flock) while they
 * write, and the one that renames an exclusive one: what is appended to a file, is appended before
 * it is followed by another. Nobody waits for a lock: then the file grows a little longer. After a
 * write that was cut (a full disk) the next line begins anew. What cannot be written is not told.
 *
 * Events tell what was done; how things are is told by `ctr ps` alone.
 */
#pragma once

#include "base/err.h"

#define EVENT_LOG_FILE "events" /* in RUNROOT/.engine */
#define EVENT_LINE_MAX 4096
#define EVENT_LOG_MAX_BYTES (1 << 20)
#define EVENT_LOG_FILES 3

struct engine_event {
	const char *type;	       /* "container", "image", "volume" */
	const char *action;	       /* "start", "die", ... */
	const char *id;		       /* NULL: it has a name only */
	const char *name, *image;      /* or NULL */
	const char *const *attributes; /* key, value, ..., NULL; or NULL */
};

/* Failures are logged at debug: what is told must not fail because nobody can hear it. */
void event_log_append(const char *runroot, const struct engine_event *event);

/* The same of a volume: "create", "destroy". */
void event_tell_volume(const char *runroot, const char *action, const char *name);

/* The same of an image: "import", "tag", "untag"; id NULL: unknown. */
void event_tell_image(const char *runroot, const char *action, const char *name, const char *id);

/* The same of a container, whose meta.json says the rest; shim_engine.tell. */
void event_tell(const char *root, const char *runroot, const char *id, const char *action,
		const char *const *attributes);
