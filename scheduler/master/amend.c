/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been changed about a job since its file was handed in: its number of tasks, and what
 * they may use. The file as it is held is the changed one; the store has its text, and beside it
 * what is different.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/master/inside.h"

static const struct job_override *find_override(const struct job_file *file, uint32_t index)
{
	FIELD_EACH(job_override, o, file->tasks.overrides)
	if (o->index == index)
		return o;
	return NULL;
}

/* A copy with room for that many more, by rising index. */
static int copy_overrides(struct arena *arena, const struct job_file *from, size_t more,
			  struct job_file *ret)
{
	const struct field_list *list = &from->tasks.overrides;
	struct job_override *copy = arena_calloc(arena, list->count + more + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (list->count)
		memcpy(copy, list->items, list->count * sizeof(*copy));
	ret->tasks.overrides.items = copy;
	return 0;
}

static struct job_override *make_override(struct job_file *file, uint32_t index)
{
	struct job_override *items = file->tasks.overrides.items;
	size_t count = file->tasks.overrides.count, at = 0, end = count;

	while (at < end) {
		size_t middle = at + (end - at) / 2;

		if (items[middle].index < index)
			at = middle + 1;
		else
			end = middle;
	}
	if (at < count && items[at].index == index)
		return &items[at];
	memmove(items + at + 1, items + at, (count - at) * sizeof(*items));
	items[at] = (struct job_override){ .index = index };
	file->tasks.overrides.count++;
	return &items[at];
}

static void set(struct job_resources *to, int64_t cpu_milli, int64_t memory_bytes)
{
	if (cpu_milli)
		to->cpu_milli = cpu_milli;
	if (memory_bytes)
		to->memory_bytes = memory_bytes;
}

int amend_resources(const struct held_job *job, uint32_t index, int64_t cpu_milli,
		    int64_t memory_bytes, struct arena *arena, struct job_file *ret,
		    struct err *err)
{
	struct job_file file = job->file;
	struct job_override *items;

	if (!file.job && index != NOBODY)
		return err_say(err, EINVAL, "alloc set %s: all of its allocs have one size",
			       job_name(job));
	if (!file.job) {
		set(&file.reserve, cpu_milli, memory_bytes);
		*ret = file;
		return 0;
	}
	if ((index != NOBODY || file.tasks.overrides.count) &&
	    copy_overrides(arena, &job->file, 1, &file) < 0)
		return err_set(err, ENOMEM, "resize job %s", job_name(job));
	if (index == NOBODY) {
		set(&file.tasks.resources, cpu_milli, memory_bytes);
		items = file.tasks.overrides.items;
		for (size_t i = 0; i < file.tasks.overrides.count; i++) {
			if (cpu_milli)
				items[i].resources.cpu_milli = 0;
			if (memory_bytes)
				items[i].resources.memory_bytes = 0;
		}
	} else {
		set(&make_override(&file, index)->resources, cpu_milli, memory_bytes);
	}
	*ret = file;
	return 0;
}

struct job_resources amend_resources_of(const struct held_job *job, uint32_t index)
{
	struct job_resources all = job->file.job ? job->file.tasks.resources : job->file.reserve;
	const struct job_override *o = find_override(&job->file, index);

	if (o)
		set(&all, o->resources.cpu_milli, o->resources.memory_bytes);
	return all;
}

/* ---- the store ---- */

static void write_amounts(const struct job_resources *r, struct json_writer *w)
{
	json_field_i64(w, "cpu_milli", r->cpu_milli);
	json_field_i64(w, "memory_bytes", r->memory_bytes);
}

void amend_write(const struct held_job *job, struct json_writer *w)
{
	if (!job->amended)
		return;
	json_key(w, "amended");
	json_open_object(w);
	json_field_u64(w, "count", job->count);
	write_amounts(job->file.job ? &job->file.tasks.resources : &job->file.reserve, w);
	json_key(w, "tasks");
	json_open_array(w);
	FIELD_EACH(job_override, o, job->file.tasks.overrides)
	{
		json_open_object(w);
		json_field_i64(w, "index", o->index);
		write_amounts(&o->resources, w);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}

static int read_amounts(const struct json_node *node, struct job_resources *ret, struct err *err)
{
	err_try(json_get_i64(node, "cpu_milli", &ret->cpu_milli, err));
	err_try(json_get_i64(node, "memory_bytes", &ret->memory_bytes, err));
	return 0;
}

static int read_tasks(struct held_job *job, const struct json_node *node, struct err *err)
{
	struct json_node array;
	size_t count = 0;

	err_try(json_get_array(node, "tasks", &array, &count, err));
	if (count && copy_overrides(job->arena, &job->file, count, &job->file) < 0)
		return err_set(err, ENOMEM, "load job %s", job_name(job));
	for (size_t i = 0; i < count; i++) {
		struct json_node one = json_at(&array, i);
		uint32_t index = 0;

		err_try(json_get_u32(&one, "index", &index, err));
		err_try(read_amounts(&one, &make_override(&job->file, index)->resources, err));
	}
	return 0;
}

int amend_read(struct master *master, struct held_job *job, const struct json_node *root,
	       struct err *err)
{
	struct json_node node;
	int64_t count = job->count;
	int r = json_get_object(root, "amended", &node, err);

	if (r <= 0)
		return r;
	job->amended = true;
	err_try(json_get_range(&node, "count", 1, JOB_TASKS_MAX, &count, err));
	if (count > job->count && tasks_grow(master, job, (uint32_t)count) < 0)
		return err_set(err, ENOMEM, "load job %s", job_name(job));
	job->count = (uint32_t)count;
	if (!job->file.job) {
		job->file.allocs = count;
		return read_amounts(&node, &job->file.reserve, err);
	}
	job->file.tasks.count = count;
	err_try(read_amounts(&node, &job->file.tasks.resources, err));
	return read_tasks(job, &node, err);
}
