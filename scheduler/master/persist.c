/* SPDX-License-Identifier: Apache-2.0 */
/* What the store has of a cell: "machine/NAME", "job/NAME", "task/JOB/INDEX", each a JSON object.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/core/restore.h"
#include "scheduler/master/inside.h"

char *persist_task(const struct master *master, const struct held_task *task, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	if (task->at != NOBODY)
		json_field_string(w, "machine", master->machines[task->at].name);
	json_field_bool(w, "live", task->live);
	json_field_bool(w, "over", task->over);
	json_field_u64(w, "incarnation", task->incarnation);
	json_field_u64(w, "restarts", task->restarts);
	json_field_i64(w, "exit_code", task->exit_code);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

char *persist_job(const struct held_job *job, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "file", job->file_name);
	json_field_string(w, "text", job->text);
	json_field_i64(w, "submitted_ms", job->submitted_ms);
	json_field_bool(w, "stopped", job->stopped);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

char *persist_machine(const struct held_machine *machine, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	const struct amounts *capacity = &machine->spec.capacity;

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "rack", machine->spec.rack);
	json_field_i64(w, "cpu_milli", capacity->of[RESOURCE_CPU]);
	json_field_i64(w, "memory_bytes", capacity->of[RESOURCE_MEMORY]);
	json_field_i64(w, "disk_bytes", capacity->of[RESOURCE_DISK]);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

/* ---- loading ---- */

struct loading {
	struct master *master;
	const char *prefix;
	int (*one)(struct master *master, const char *name, const struct json_node *root,
		   struct err *err);
};

static int load_machine(struct master *master, const char *name, const struct json_node *root,
			struct err *err)
{
	struct machine_spec spec = { .name = name };
	struct held_machine *machine;
	struct amounts *c = &spec.capacity;

	err_try(json_get_string(root, "rack", master->arena, &spec.rack, err));
	err_try(json_get_i64(root, "cpu_milli", &c->of[RESOURCE_CPU], err));
	err_try(json_get_i64(root, "memory_bytes", &c->of[RESOURCE_MEMORY], err));
	err_try(json_get_i64(root, "disk_bytes", &c->of[RESOURCE_DISK], err));
	c->of[RESOURCE_PORTS] = MACHINE_PORTS;
	spec.first_port = MACHINE_FIRST_PORT;
	return machine_add(master, name, &spec, &machine, err);
}

static int load_job(struct master *master, const char *name, const struct json_node *root,
		    struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *file = name, *text = "";
	struct held_job *job;
	char *copy;

	if (!arena)
		return err_set(err, ENOMEM, "load job %s", name);
	err_try(json_get_string(root, "file", arena, &file, err));
	err_try(json_need(json_get_string(root, "text", arena, &text, err), root, "text", err));
	copy = strdup(text);
	if (!copy)
		return err_set(err, ENOMEM, "load job %s", name);
	err_try(job_make(master, file, copy, strlen(copy), &job, err));
	err_try(json_get_i64(root, "submitted_ms", &job->submitted_ms, err));
	err_try(json_get_bool(root, "stopped", &job->stopped, err));
	return 0;
}

/* Where it was, if it can be there; else it pends, and is placed like any other. */
static void put_back(struct master *master, struct held_task *task, const char *machine)
{
	struct held_machine *at = machine ? machine_find(master, machine) : NULL;
	uint32_t core = task_core(master, task);
	bool live = task->live;

	if (core == NOBODY || !at)
		task->live = false;
	if (at)
		task_place(master, task, (uint32_t)(at - master->machines));
	task->live = live && at;
	if (core == NOBODY)
		return;
	if (task->over)
		cell_end_task(master->cell, core, END_KILLED);
	else if (task->live && cell_restore_task(master->cell, core, at->core) < 0)
		task_unplace(master, task);
}

static int load_task(struct master *master, const char *name, const struct json_node *root,
		     struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct held_task *task = task_find(master, name);
	const char *machine = NULL;
	uint64_t restarts = 0;
	int64_t code = -1;

	if (!arena)
		return err_set(err, ENOMEM, "load task %s", name);
	if (!task)
		return 0;
	err_try(json_get_string(root, "machine", arena, &machine, err));
	err_try(json_get_bool(root, "live", &task->live, err));
	err_try(json_get_bool(root, "over", &task->over, err));
	err_try(json_get_u64(root, "incarnation", &task->incarnation, err));
	err_try(json_get_u64(root, "restarts", &restarts, err));
	err_try(json_get_range(root, "exit_code", -1, 255, &code, err));
	task->restarts = (uint32_t)restarts;
	task->exit_code = (int)code;
	put_back(master, task, machine);
	return 0;
}

static int load_item(void *data, const struct store_change *item, struct err *err)
{
	struct loading *loading = data;
	size_t len = strlen(loading->prefix);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	int r;

	if (strncmp(item->key, loading->prefix, len) != 0)
		return 0;
	r = json_parse(item->value, item->len, &doc, err);
	if (r == 0) {
		root = json_root(doc);
		r = loading->one(loading->master, item->key + len, &root, err);
	}
	return r < 0 ? err_add(err, "the store's %s", item->key) : 0;
}

/* In the order of their submission, so that what starts after something finds it. */
static int by_time(const void *a, const void *b)
{
	const struct held_job *const *x = a, *const *y = b;

	return (*x)->submitted_ms < (*y)->submitted_ms	 ? -1
	       : (*x)->submitted_ms > (*y)->submitted_ms ? 1
							 : 0;
}

static int admit_jobs(struct master *master, struct err *err)
{
	_cleanup_free_ struct held_job **list = NULL;
	size_t count = 0, n = 0;

	for (struct held_job *job = master->jobs; job; job = job->next)
		count++;
	list = calloc(count + 1, sizeof(struct held_job *));
	if (!list)
		return err_set(err, ENOMEM, "load the jobs");
	for (struct held_job *job = master->jobs; job; job = job->next)
		list[n++] = job;
	qsort(list, count, sizeof(struct held_job *), by_time);
	for (n = 0; n < count; n++)
		if (!list[n]->stopped)
			err_try(job_admit(master, list[n], err));
	return 0;
}

int persist_load(struct master *master, struct err *err)
{
	struct loading machines = { master, "machine/", load_machine };
	struct loading jobs = { master, "job/", load_job };
	struct loading tasks = { master, "task/", load_task };
	uint64_t revision;
	int r;

	master->loading = true;
	r = cell_store_load(master->store, load_item, &machines, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &jobs, &revision, err);
	if (r == 0)
		r = admit_jobs(master, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &tasks, &revision, err);
	master->loading = false;
	return r;
}
