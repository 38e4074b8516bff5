/* SPDX-License-Identifier: Apache-2.0 */
/* What people have changed about a job: kept with it, in the store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/master/inside.h"

#define ITEMS_MAX 50

static struct history_item *append(struct held_job *job)
{
	if (!job->history)
		job->history = calloc(ITEMS_MAX, sizeof(*job->history));
	if (!job->history)
		return NULL;
	if (job->history_count == ITEMS_MAX) {
		memmove(job->history, job->history + 1, (ITEMS_MAX - 1) * sizeof(*job->history));
		job->history_count--;
	}
	return &job->history[job->history_count++];
}

void history_add(struct master *master, struct held_job *job, const struct caller *caller,
		 const char *fmt, ...)
{
	struct history_item *item = append(job);
	va_list args;

	/* Out of memory: the change itself counts. */
	if (!item)
		return;
	*item = (struct history_item){ .time_ms = master->outside.now_ms };
	snprintf(item->who, sizeof(item->who), "%s", caller->name);
	va_start(args, fmt);
	vsnprintf(item->text, sizeof(item->text), fmt, args);
	va_end(args);
}

void history_inherit(struct held_job *job, struct held_job *from)
{
	job->history = from->history;
	job->history_count = from->history_count;
	from->history = NULL;
	from->history_count = 0;
}

void history_undo(struct held_job *job)
{
	if (job->history_count)
		job->history_count--;
}

void history_write(const struct held_job *job, struct json_writer *w)
{
	json_key(w, "history");
	json_open_array(w);
	for (size_t i = 0; i < job->history_count; i++) {
		json_open_object(w);
		json_field_i64(w, "time_ms", job->history[i].time_ms);
		json_field_string(w, "who", job->history[i].who);
		json_field_string(w, "what", job->history[i].text);
		json_close_object(w);
	}
	json_close_array(w);
}

int history_read(struct held_job *job, const struct json_node *root, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct json_node array;
	size_t count = 0;

	if (!arena)
		return err_set(err, ENOMEM, "load the history of %s", job_name(job));
	err_try(json_get_array(root, "history", &array, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct json_node node = json_at(&array, i);
		const char *who = "", *what = "";
		struct history_item *item = append(job);

		if (!item)
			return err_set(err, ENOMEM, "load the history of %s", job_name(job));
		*item = (struct history_item){ 0 };
		err_try(json_get_i64(&node, "time_ms", &item->time_ms, err));
		err_try(json_get_string(&node, "who", arena, &who, err));
		err_try(json_get_string(&node, "what", arena, &what, err));
		snprintf(item->who, sizeof(item->who), "%s", who);
		snprintf(item->text, sizeof(item->text), "%s", what);
	}
	return 0;
}

int master_write_history(struct master *master, const char *name, struct json_writer *w,
			 struct err *err)
{
	struct held_job *job = job_find(master, name);

	if (!job)
		return err_say(err, ENOENT, "there is no job called %s", name);
	json_open_object(w);
	json_field_string(w, "job", job_name(job));
	history_write(job, w);
	json_close_object(w);
	return 0;
}
