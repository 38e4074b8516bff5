/* SPDX-License-Identifier: Apache-2.0 */
/* What the store has of a cell: "machine/NAME", "job/NAME", "task/JOB/INDEX", each a JSON object.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/core/restore.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"
#include "scheduler/master/secrets.h"

static void write_ports(const struct master *master, uint32_t core, struct json_writer *w)
{
	uint32_t port;

	if (core == NOBODY)
		return;
	json_key(w, "ports");
	json_open_array(w);
	for (uint32_t i = 0; (port = cell_task_port(master->cell, core, i)) != 0; i++)
		json_put_u64(w, port);
	json_close_array(w);
}

static bool is_joining(const struct master *master, const struct held_task *task)
{
	uint32_t core = task_core(master, task);
	struct task_view view = { 0 };

	if (core != NOBODY && !task->live && !task->over)
		cell_task(master->cell, core, &view);
	return view.joining;
}

char *persist_task(const struct master *master, const struct held_task *task, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	const struct held_task *alloc = task_alloc(master, task);

	if (!w)
		return NULL;
	json_open_object(w);
	/* Of an alloc that goes nothing stays anywhere. */
	if (task->at != NOBODY && (task->job->file.job || !task->over))
		json_field_string(w, "machine", master->machines[task->at].name);
	json_field_bool(w, "live", task->live);
	json_field_bool(w, "over", task->over);
	if (task->paused)
		json_field_bool(w, "paused", true);
	if (task->to_restart)
		json_field_bool(w, "to_restart", true);
	if (is_joining(master, task))
		json_field_bool(w, "joining", true);
	json_field_u64(w, "incarnation", task->incarnation);
	json_field_u64(w, "restarts", task->restarts);
	json_field_i64(w, "exit_code", task->exit_code);
	kept_persist(master, task, w);
	if (task->live)
		write_ports(master, task_core(master, task), w);
	if (task->live && alloc) {
		json_field_string(w, "alloc_set", job_name(alloc->job));
		json_field_u64(w, "alloc", alloc->index);
	}
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
	json_field_string(w, "made_by", job->made_by);
	json_field_string(w, "key", job->key);
	json_field_string(w, "key_by", job->key_by);
	history_write(job, w);
	amend_write(job, w);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

static const char *const wishes[] = {
	[MACHINE_UP] = "up",
	[MACHINE_CORDONED] = "cordoned",
	[MACHINE_DRAINING] = "draining",
};

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
	if (machine->wish != MACHINE_UP)
		json_field_string(w, "wish", wishes[machine->wish]);
	if (*machine->wish_by)
		json_field_string(w, "wish_by", machine->wish_by);
	if (machine->drain_by_ms)
		json_field_i64(w, "drain_by_ms", machine->drain_by_ms);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

/* ---- loading ---- */

struct loading {
	struct master *master;
	const char *prefix;
	int (*one)(struct master *master, const char *name, const struct json_node *root,
		   struct err *err);
	bool may_fail; /* one that cannot be read stays in the store, and is left out */
};

static int load_machine(struct master *master, const char *name, const struct json_node *root,
			struct err *err)
{
	struct machine_spec spec = { .name = name };
	struct held_machine *machine;
	struct amounts *c = &spec.capacity;
	const char *wish = "up", *by = "";

	err_try(json_get_string(root, "rack", master->arena, &spec.rack, err));
	err_try(json_get_i64(root, "cpu_milli", &c->of[RESOURCE_CPU], err));
	err_try(json_get_i64(root, "memory_bytes", &c->of[RESOURCE_MEMORY], err));
	err_try(json_get_i64(root, "disk_bytes", &c->of[RESOURCE_DISK], err));
	c->of[RESOURCE_PORTS] = MACHINE_PORTS;
	spec.first_port = MACHINE_FIRST_PORT;
	err_try(machine_add(master, name, &spec, &machine, err));
	machine->written = true;
	err_try(json_get_string(root, "wish", master->arena, &wish, err));
	err_try(json_get_string(root, "wish_by", master->arena, &by, err));
	err_try(json_get_i64(root, "drain_by_ms", &machine->drain_by_ms, err));
	snprintf(machine->wish_by, sizeof(machine->wish_by), "%s", by);
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		if (strcmp(wish, wishes[i]) == 0)
			machine->wish = (enum machine_state)i;
	return 0;
}

static int load_job(struct master *master, const char *name, const struct json_node *root,
		    struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *file = name, *text = "";
	struct held_job *job;
	struct err why = { 0 };
	char *copy;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "load job %s", name);
	err_try(json_get_string(root, "file", arena, &file, err));
	err_try(json_need(json_get_string(root, "text", arena, &text, err), root, "text", err));
	copy = strdup(text);
	if (!copy)
		return err_set(err, ENOMEM, "load job %s", name);
	r = job_make(master, file, copy, strlen(copy), &job, &why);
	if (r == -ENOMEM)
		return err_set(err, ENOMEM, "load job %s", name);
	if (r < 0)
		err_try(job_make_unreadable(master, name, text, &why, &job, err));
	err_try(json_get_i64(root, "submitted_ms", &job->submitted_ms, err));
	err_try(json_get_string(root, "made_by", job->arena, &job->made_by, err));
	err_try(json_get_string(root, "key", job->arena, &job->key, err));
	err_try(json_get_string(root, "key_by", job->arena, &job->key_by, err));
	err_try(json_get_bool(root, "stopped", &job->stopped, err));
	err_try(history_read(job, root, err));
	return amend_read(master, job, root, err);
}

/* Whoever comes under its name may not start while it is still ending there. */
static void hold_back(struct master *master, const struct held_task *task,
		      const struct held_machine *at)
{
	char name[TASK_NAME_SIZE];
	struct leaving *leaving;

	snprintf(name, sizeof(name), "%s/%" PRIu32, task->job->file.job, task->index);
	leaving = leave_add(master, name, task->incarnation, (uint32_t)(at - master->machines));
	if (leaving)
		leaving->fenced = leaving->dirty = true;
	else
		master->lost_a_fence = true;
}

/* Where it was, if it can be there; else it pends, and is placed like any other. */
static void put_back(struct master *master, struct held_task *task, const char *machine,
		     uint32_t room, const uint16_t *ports, uint32_t port_count, bool paused)
{
	struct held_machine *at = machine ? machine_find(master, machine) : NULL;
	uint32_t core = task_core(master, task);
	bool live = task->live;

	task->live = false;
	/* Of a job that was stopped nothing is to run, and nothing is kept. */
	if (core == NOBODY) {
		if (at && live && task->job->file.single_instance)
			hold_back(master, task, at);
		return;
	}
	if (at)
		task_place(master, task, (uint32_t)(at - master->machines));
	task->live = live && at;
	/* Nobody knows whether it came to hear of it. */
	task->told = at != NULL;
	if (task->over)
		cell_end_task(master->cell, core, END_KILLED);
	else if (task->live &&
		 cell_restore_task(master->cell, core, room == NOBODY ? at->core : room, ports,
				   port_count, paused) < 0)
		task_unplace(master, task);
	task->paused = paused && task->live;
}

static int read_ports(const struct json_node *root, struct arena *arena, uint16_t **ret,
		      uint32_t *ret_count, struct err *err)
{
	struct json_node array;
	size_t count = 0;
	int r = json_get_array(root, "ports", &array, &count, err);

	if (r <= 0)
		return r;
	*ret = arena_calloc(arena, count + 1, sizeof(**ret));
	if (!*ret)
		return err_set(err, ENOMEM, "load ports");
	for (size_t i = 0; i < count; i++) {
		struct json_node one = json_at(&array, i);
		int64_t port;

		err_try(json_i64(&one, 0, UINT16_MAX, &port, err));
		(*ret)[i] = (uint16_t)port;
	}
	*ret_count = (uint32_t)count;
	return 0;
}

/* Of an alloc, which has been put back before; NOBODY. */
static int read_room(struct master *master, const struct json_node *root, uint32_t *ret,
		     struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *name = NULL;
	struct held_job *set;
	struct task_view view;
	uint64_t index = 0;

	*ret = NOBODY;
	if (!arena)
		return err_set(err, ENOMEM, "load a task");
	err_try(json_get_string(root, "alloc_set", arena, &name, err));
	err_try(json_get_u64(root, "alloc", &index, err));
	set = name ? job_find(master, name) : NULL;
	if (!set || set->file.job || set->core == NOBODY || index >= set->count ||
	    !set->tasks[index].live)
		return 0;
	cell_task(master->cell, task_core(master, &set->tasks[index]), &view);
	*ret = view.room;
	return 0;
}

/* Nobody can tell how many tasks an unreadable job has, but the store: they go with it. */
static struct held_task *find_task(struct master *master, const char *name)
{
	const char *slash = strrchr(name, '/');
	char job[TASK_NAME_SIZE] = "";
	struct held_job *held;
	unsigned long count;

	if (slash && (size_t)(slash - name) < sizeof(job))
		memcpy(job, name, (size_t)(slash - name));
	held = *job ? job_find(master, job) : NULL;
	count = slash ? strtoul(slash + 1, NULL, 10) + 1 : 0;
	if (held && held->unreadable && count > held->count && count <= JOB_TASKS_MAX &&
	    tasks_grow(master, held, (uint32_t)count) == 0)
		held->count = (uint32_t)count;
	return task_find(master, name);
}

static int load_task(struct master *master, const char *name, const struct json_node *root,
		     struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct held_task *task = find_task(master, name);
	const char *machine = NULL;
	uint64_t restarts = 0;
	uint16_t *ports = NULL;
	uint32_t port_count = 0;
	int64_t code = -1;
	uint32_t room;
	bool paused = false;

	if (!arena)
		return err_set(err, ENOMEM, "load task %s", name);
	if (!task)
		return 0;
	err_try(json_get_string(root, "machine", arena, &machine, err));
	err_try(json_get_bool(root, "live", &task->live, err));
	err_try(json_get_bool(root, "over", &task->over, err));
	err_try(json_get_bool(root, "paused", &paused, err));
	err_try(json_get_bool(root, "to_restart", &task->to_restart, err));
	err_try(json_get_bool(root, "joining", &task->joining, err));
	task->job->rolling |= task->to_restart;
	master->rolling |= task->to_restart;
	err_try(json_get_u64(root, "incarnation", &task->incarnation, err));
	err_try(json_get_u64(root, "restarts", &restarts, err));
	err_try(json_get_range(root, "exit_code", -1, 255, &code, err));
	err_try(kept_load(master, task, root, err));
	task->restarts = (uint32_t)restarts;
	task->exit_code = (int)code;
	err_try(read_ports(root, arena, &ports, &port_count, err));
	err_try(read_room(master, root, &room, err));
	/* Its alloc is not there any more: it pends. */
	if (task->job->file.in && room == NOBODY)
		task->live = false;
	put_back(master, task, machine, room, ports, port_count, paused);
	if (!task->live)
		kept_prefer(master, task);
	return 0;
}

static bool is_production(struct master *master, const char *name)
{
	const struct held_task *task = task_find(master, name);

	return task && task->job->file.job && task->job->file.priority >= PRIORITY_PRODUCTION;
}

static bool is_alloc(struct master *master, const char *name)
{
	const struct held_task *task = task_find(master, name);

	return task && !task->job->file.job;
}

static int load_alloc(struct master *master, const char *name, const struct json_node *root,
		      struct err *err)
{
	return is_alloc(master, name) ? load_task(master, name, root, err) : 0;
}

/* Production has all that it asks for; the others may be where some of it was lent. */
static int load_promised(struct master *master, const char *name, const struct json_node *root,
			 struct err *err)
{
	return is_production(master, name) ? load_task(master, name, root, err) : 0;
}

static int load_other(struct master *master, const char *name, const struct json_node *root,
		      struct err *err)
{
	return is_production(master, name) || is_alloc(master, name)
		       ? 0
		       : load_task(master, name, root, err);
}

static int load_incarnations(struct master *master, const struct store_change *item)
{
	char text[24] = "";

	if (item->len < sizeof(text))
		memcpy(text, item->value, item->len);
	master->incarnations = strtoull(text, NULL, 10);
	return 0;
}

static int load_item(void *data, const struct store_change *item, struct err *err)
{
	struct loading *loading = data;
	size_t len = strlen(loading->prefix);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	int r;

	if (strcmp(item->key, PERSIST_INCARNATIONS) == 0)
		return load_incarnations(loading->master, item);
	if (strncmp(item->key, loading->prefix, len) != 0)
		return 0;
	r = json_parse(item->value, item->len, &doc, err);
	if (r == 0) {
		root = json_root(doc);
		r = loading->one(loading->master, item->key + len, &root, err);
	}
	if (r < 0)
		err_add(err, "the store's %s", item->key);
	if (r == 0 || r == -ENOMEM || !loading->may_fail)
		return r;
	/* One of them is no reason for the others not to run. */
	log_error("%s: it is left out", err->text);
	err_clear(err);
	return 0;
}

/* In the order of their submission, so that what starts after something finds it; alloc sets first.
 */
static int by_time(const void *a, const void *b)
{
	const struct held_job *const *x = a, *const *y = b;

	if (!(*x)->file.job != !(*y)->file.job)
		return (*x)->file.job ? 1 : -1;
	return (*x)->submitted_ms < (*y)->submitted_ms	 ? -1
	       : (*x)->submitted_ms > (*y)->submitted_ms ? 1
							 : 0;
}

/* One that is refused now is no reason for the others not to run. */
static void warn(struct master *master, struct held_job *job, const char *sentence)
{
	if (sentence == job->warning)
		log_warn("%s; job %s was accepted before, and stays", sentence, job_name(job));
	else
		log_error("%s: job %s is not taken up", sentence, job_name(job));
	journal_job(master, job, JOURNAL_JOB_WARNING, NULL, "%s", sentence);
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
	for (n = 0; n < count; n++) {
		struct err why = { 0 };

		if (list[n]->warning)
			warn(master, list[n], list[n]->warning);
		if (list[n]->refusal)
			warn(master, list[n], list[n]->refusal);
		if (list[n]->stopped || list[n]->refusal || job_admit(master, list[n], &why) == 0)
			continue;
		warn(master, list[n], why.text);
		list[n]->refusal = strdup(why.text);
	}
	return 0;
}

int persist_load(struct master *master, struct err *err)
{
	struct loading machines = { master, "machine/", load_machine };
	struct loading jobs = { master, "job/", load_job, true };
	struct loading allocs = { master, "task/", load_alloc, true };
	struct loading promised = { master, "task/", load_promised, true };
	struct loading tasks = { master, "task/", load_other, true };
	struct loading fences = { master, "fence/", leave_load };
	struct loading secrets = { master, "secret/", secrets_load };
	struct loading policy = { master, "policy/", rules_load };
	struct loading quotas = { master, "quota/", rules_load_quota };
	uint64_t revision;
	int r;

	master->loading = true;
	r = cell_store_load(master->store, load_item, &machines, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &secrets, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &jobs, &revision, err);
	if (r == 0)
		r = admit_jobs(master, err);
	/* What is there is charged, and stays, whatever was changed meanwhile. */
	if (r == 0)
		r = cell_store_load(master->store, load_item, &quotas, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &policy, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &allocs, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &promised, &revision, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &tasks, &revision, err);
	if (r == 0)
		r = scale_rejoin(master, err);
	if (r == 0)
		r = cell_store_load(master->store, load_item, &fences, &revision, err);
	if (r == 0)
		restart_loaded(master);
	/* Only now: what runs on a machine that takes nothing new was put back there, too. */
	if (r == 0)
		machines_set_states(master);
	master->loading = false;
	return r;
}
