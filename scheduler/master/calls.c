/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/calls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/core/amounts.h"
#include "scheduler/master/status.h"

#define PEERS_MAX 1000
#define CHILDREN_MAX 1000 /* jobs that one job may have made */
#define NAME_SIZE 160
#define ANSWER_MAX ((size_t)256 << 10)
#define HELD_MAX ((size_t)16 << 20) /* of one machine's calls */

struct held_call {
	struct held_call *next;
	uint64_t number;
	bool reported;
	int status;
	char *body;
	size_t len;
};

/* One request while it is carried out. */
struct request_of {
	struct master *master;
	struct held_task *task;
	struct caller caller;
	const struct task_call *call;
	char name[NAME_SIZE]; /* behind the route, or "" */
	struct json_writer *w;
};

struct held_call *calls_free(struct held_call *calls)
{
	while (calls) {
		struct held_call *next = calls->next;

		free(calls->body);
		free(calls);
		calls = next;
	}
	return NULL;
}

/* ---- what it may see ---- */

static const char *own_job(const struct request_of *r)
{
	return r->task->job->file.job;
}

/* By its name, which somebody else's job may have had before. */
static bool made_by(const struct held_job *job, const struct held_job *parent)
{
	return job->made_by && strcmp(job->made_by, parent->file.job) == 0 &&
	       strcmp(job->file.owner, parent->file.owner) == 0;
}

/* A job that its job has made. What is not its own is not there. */
static int find_child(const struct request_of *r, struct held_job **ret, struct err *err)
{
	struct held_job *job = job_find(r->master, r->name);

	if (!job || !made_by(job, r->task->job))
		return err_say(err, ENOENT, "job %s has made no job called %s", own_job(r),
			       r->name);
	*ret = job;
	return 0;
}

/* ---- bodies ---- */

struct body {
	struct json_doc *doc;
	struct json_node root;
};

static int read_body(const struct request_of *r, struct body *ret, struct err *err)
{
	if (json_parse(r->call->body, r->call->body_len, &ret->doc, err) < 0)
		return err_add(err, "the request's body");
	ret->root = json_root(ret->doc);
	return json_object(&ret->root, err) < 0 ? -EINVAL : 0;
}

static void body_deinit(struct body *body)
{
	json_free(body->doc);
}

static int read_resize(const struct request_of *r, struct master_resize *ret, struct err *err)
{
	_cleanup_(body_deinit) struct body body = { 0 };

	err_try(read_body(r, &body, err));
	err_try(json_get_range(&body.root, "cpu_milli", 0, AMOUNT_MAX, &ret->cpu_milli, err));
	err_try(json_get_range(&body.root, "memory_bytes", 0, AMOUNT_MAX, &ret->memory_bytes, err));
	return 0;
}

/* ---- what it may ask ---- */

static int get_self(struct request_of *r, struct err *err)
{
	const struct held_task *task = r->task, *alloc = task_alloc(r->master, task);
	struct job_resources now = amend_resources_of(task->job, task->index);

	(void)err;
	json_open_object(r->w);
	json_field_string(r->w, "job", own_job(r));
	json_field_u64(r->w, "index", task->index);
	json_field_u64(r->w, "count", task->job->count);
	json_field_string(r->w, "owner", task->job->file.owner);
	json_field_i64(r->w, "priority", task->job->file.priority);
	json_field_string(r->w, "machine", r->master->machines[task->at].name);
	json_field_string(r->w, "address", task->address);
	json_field_i64(r->w, "cpu_milli", now.cpu_milli);
	json_field_i64(r->w, "memory_bytes", now.memory_bytes);
	json_field_string(r->w, "alloc_set", task->job->file.in);
	if (alloc)
		json_field_u64(r->w, "alloc", alloc->index);
	json_close_object(r->w);
	return 0;
}

static int resize_self(struct request_of *r, struct err *err)
{
	struct master_resize resize = { .index = r->task->index };

	err_try(read_resize(r, &resize, err));
	return master_resize(r->master, &r->caller, own_job(r), &resize, r->w, err);
}

static int scale(struct request_of *r, const char *job, struct err *err)
{
	_cleanup_(body_deinit) struct body body = { 0 };
	int64_t count = 0;

	err_try(read_body(r, &body, err));
	err_try(json_need(json_get_range(&body.root, "count", 1, JOB_TASKS_MAX, &count, err),
			  &body.root, "count", err));
	err_try(master_scale(r->master, &r->caller, job, (uint32_t)count, err));
	json_open_object(r->w);
	json_field_i64(r->w, "count", count);
	json_close_object(r->w);
	return 0;
}

static int scale_job(struct request_of *r, struct err *err)
{
	return scale(r, own_job(r), err);
}

static void write_peer(const struct request_of *r, const struct held_task *task)
{
	_cleanup_json_ struct json_doc *ports = NULL;

	json_open_object(r->w);
	json_field_u64(r->w, "index", task->index);
	json_field_string(r->w, "state", view_state(task));
	json_field_string(r->w, "machine",
			  task->at == NOBODY ? NULL : r->master->machines[task->at].name);
	json_field_string(r->w, "address", task->address);
	if (task->ports && json_parse(task->ports, strlen(task->ports), &ports, NULL) == 0) {
		struct json_node root = json_root(ports);

		json_key(r->w, "ports");
		json_put_value(r->w, &root);
	}
	json_close_object(r->w);
}

static int get_peers(struct request_of *r, struct err *err)
{
	const struct held_job *job = r->task->job;

	(void)err;
	json_open_object(r->w);
	json_field_u64(r->w, "count", job->count);
	json_key(r->w, "peers");
	json_open_array(r->w);
	for (uint32_t i = 0; i < job->count && i < PEERS_MAX; i++)
		write_peer(r, &job->tasks[i]);
	json_close_array(r->w);
	json_close_object(r->w);
	return 0;
}

static int find_set(const struct request_of *r, struct err *err)
{
	return r->task->job->file.in
		       ? 0
		       : err_say(err, ENOENT, "job %s runs in no alloc set", own_job(r));
}

static int get_set(struct request_of *r, struct err *err)
{
	err_try(find_set(r, err));
	return master_write_alloc(r->master, r->task->job->file.in, r->w, err);
}

static int resize_set(struct request_of *r, struct err *err)
{
	struct master_resize resize = { .index = NOBODY };

	err_try(find_set(r, err));
	err_try(read_resize(r, &resize, err));
	return master_resize(r->master, &r->caller, r->task->job->file.in, &resize, r->w, err);
}

static int scale_set(struct request_of *r, struct err *err)
{
	err_try(find_set(r, err));
	return scale(r, r->task->job->file.in, err);
}

static int get_jobs(struct request_of *r, struct err *err)
{
	json_open_array(r->w);
	for (struct held_job *job = r->master->jobs; job; job = job->next)
		if (made_by(job, r->task->job))
			err_try(master_write_job_head(r->master, job_name(job), r->w, err));
	json_close_array(r->w);
	return 0;
}

static int get_job(struct request_of *r, struct err *err)
{
	struct held_job *job;

	err_try(find_child(r, &job, err));
	return master_write_job(r->master, r->name, r->w, err);
}

/* A job that its job has made, or an alloc set. */
static int scale_child(struct request_of *r, struct err *err)
{
	struct held_job *job;

	err_try(find_child(r, &job, err));
	return scale(r, r->name, err);
}

static int post_job(struct request_of *r, struct err *err)
{
	char file[sizeof("job file of ") + CALLER_NAME_SIZE];
	const char *job;

	snprintf(file, sizeof(file), "job file of %s", r->caller.name);
	err_try(master_submit(r->master, &r->caller, file, r->call->body, r->call->body_len, &job,
			      err));
	json_open_object(r->w);
	json_field_string(r->w, "job", job);
	json_close_object(r->w);
	return 0;
}

static int delete_job(struct request_of *r, struct err *err)
{
	struct held_job *job;

	err_try(find_child(r, &job, err));
	err_try(master_stop(r->master, &r->caller, r->name, true, err));
	json_open_object(r->w);
	json_field_string(r->w, "job", r->name);
	json_close_object(r->w);
	return 0;
}

static const struct {
	const char *method, *path; /* a name stands for the star */
	int (*fn)(struct request_of *r, struct err *err);
} routes[] = {
	{ "GET", "/v1/self", get_self },
	{ "POST", "/v1/self/resize", resize_self },
	{ "GET", "/v1/peers", get_peers },
	{ "POST", "/v1/job/scale", scale_job },
	{ "GET", "/v1/alloc-set", get_set },
	{ "POST", "/v1/alloc-set/resize", resize_set },
	{ "GET", "/v1/jobs", get_jobs },
	{ "POST", "/v1/jobs", post_job },
	{ "GET", "/v1/jobs/*", get_job },
	{ "DELETE", "/v1/jobs/*", delete_job },
	{ "POST", "/v1/alloc-set/scale", scale_set },
	{ "POST", "/v1/jobs/*/scale", scale_child },
};

/* ---- what it may hand in ---- */

static bool has_secret(const struct job_file *file, const char *name)
{
	FIELD_EACH(job_secret, s, file->tasks.secrets)
	if (strcmp(s->name, name) == 0)
		return true;
	return false;
}

/* Its own set, or one that its job has made. */
static int check_set(struct master *master, const struct held_job *parent,
		     const struct job_file *file, struct err *err)
{
	const struct held_job *set = file->in ? job_find(master, file->in) : NULL;

	if (!file->in)
		return err_say(
			err, EPERM,
			"%s: a task hands jobs in for its own alloc set: alloc_set is missing",
			file->file);
	if ((parent->file.in && strcmp(parent->file.in, file->in) == 0) ||
	    (set && made_by(set, parent)))
		return 0;
	return err_say(err, EPERM, "%s: alloc set %s is not that of job %s, and was not made by it",
		       file->file, file->in, parent->file.job);
}

static int check_name(const struct held_job *parent, const struct held_job *job, struct err *err)
{
	size_t len = strlen(parent->file.job);
	const char *name = job_name(job);

	if (strncmp(name, parent->file.job, len) != 0 || name[len] != '.' || !name[len + 1])
		return err_say(
			err, EPERM,
			"%s: the name of what a task hands in begins with its job's and a dot, "
			"like %s.work",
			job->file.file, parent->file.job);
	return 0;
}

int calls_check_file(struct master *master, const struct caller *caller, struct held_job *job,
		     struct err *err)
{
	const struct held_task *task = task_find(master, caller->name);
	const struct held_job *parent = task ? task->job : NULL;
	const struct job_file *file = &job->file;
	size_t children = 0;

	if (!parent)
		return err_say(err, EPERM, "task %s is not there any more", caller->name);
	err_try(check_name(parent, job, err));
	if (strcmp(file->owner, parent->file.owner) != 0)
		return err_say(err, EPERM, "%s: owner: a job of %s hands in jobs of %s alone",
			       file->file, parent->file.owner, parent->file.owner);
	if (file->priority > parent->file.priority)
		return err_say(err, EPERM,
			       "%s: priority: that of job %s is %" PRId64
			       ", and no more can be had",
			       file->file, parent->file.job, parent->file.priority);
	if (file->job)
		err_try(check_set(master, parent, file, err));
	FIELD_EACH(job_secret, s, file->tasks.secrets)
	if (!has_secret(&parent->file, s->name))
		return err_say(err, EPERM, "%s: tasks.secrets: job %s has no secret %s itself",
			       file->file, parent->file.job, s->name);
	for (struct held_job *other = master->jobs; other; other = other->next)
		children += made_by(other, parent);
	if (children >= CHILDREN_MAX)
		return err_say(err, EDQUOT, "job %s has made %d jobs, which is all it may have",
			       parent->file.job, CHILDREN_MAX);
	job->made_by = arena_strdup(job->arena, parent->file.job);
	return job->made_by ? 0 : err_set(err, ENOMEM, "submit a job");
}

/* ---- carrying out ---- */

static bool matches(size_t i, const char *path, char name[static NAME_SIZE])
{
	size_t before = strcspn(routes[i].path, "*"), len;

	*name = '\0';
	if (!routes[i].path[before])
		return strcmp(routes[i].path, path) == 0;
	if (strncmp(routes[i].path, path, before) != 0)
		return false;
	path += before;
	len = strcspn(path, "/");
	if (!len || len >= NAME_SIZE || strcmp(routes[i].path + before + 1, path + len) != 0)
		return false;
	memcpy(name, path, len);
	name[len] = '\0';
	return true;
}

static int run(struct request_of *r, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(routes[i].method, r->call->method) == 0 &&
		    matches(i, r->call->path, r->name))
			return routes[i].fn(r, err);
	return err_say(err, ENOENT, "%s %s: a task cannot ask for that", r->call->method,
		       r->call->path);
}

/* Believed only of what this machine is to run. */
static struct held_task *find_task(struct master *master, uint32_t machine,
				   const struct task_call *call)
{
	struct held_task *task = task_find(master, call->task);

	return task && task->at == machine && task->live &&
			       task->incarnation == call->incarnation && task->job->file.job &&
			       task->job->file.tasks.api
		       ? task
		       : NULL;
}

static char *write_error(const struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "error", err->text);
	json_close_object(w);
	return json_writer_take(w, &len);
}

static void carry_out(struct master *master, uint32_t machine, const struct task_call *call,
		      struct held_call *ret)
{
	struct request_of r = { .master = master,
				.task = find_task(master, machine, call),
				.caller = { .role = CALLER_TASK, .uid = CALLER_NO_UID },
				.call = call,
				.w = json_writer_new(false) };
	struct err err = { 0 };
	int code;

	snprintf(r.caller.name, sizeof(r.caller.name), "%s", call->task);
	if (!r.w)
		code = err_set(&err, ENOMEM, "answer a task");
	else if (!r.task)
		code = err_say(&err, EPERM, "this task is not the cell's any more");
	else
		code = run(&r, &err);
	ret->body = code < 0 ? NULL : json_writer_take(r.w, &ret->len);
	if (ret->body && ret->len > ANSWER_MAX) {
		free(take_ptr(ret->body));
		code = err_say(&err, E2BIG, "this is done, but the answer is too long");
	}
	ret->status = code < 0 ? (int)status_of_error(&err) : 200;
	if (code < 0)
		ret->body = write_error(&err);
	ret->len = ret->body ? strlen(ret->body) : 0;
	json_writer_free(r.w);
	if (!ret->body)
		ret->status = 500;
}

static struct held_call *find(struct held_call *calls, uint64_t number)
{
	while (calls && calls->number != number)
		calls = calls->next;
	return calls;
}

static bool has_room(const struct held_call *calls)
{
	size_t bytes = 0;

	for (; calls; calls = calls->next)
		bytes += calls->len;
	return bytes <= HELD_MAX;
}

static void take(struct master *master, uint32_t machine, const struct task_call *call)
{
	struct held_call *held = find(master->machines[machine].calls, call->number);

	if (!held) {
		held = has_room(master->machines[machine].calls) ? calloc(1, sizeof(*held)) : NULL;
		/* It is reported again. */
		if (!held)
			return;
		held->number = call->number;
		carry_out(master, machine, call, held);
		held->next = master->machines[machine].calls;
		master->machines[machine].calls = held;
		master->machines[machine].news = true;
	}
	held->reported = true;
}

void calls_take(struct master *master, uint32_t machine, const struct machine_report *report)
{
	struct held_call **p = &master->machines[machine].calls;

	for (struct held_call *call = *p; call; call = call->next)
		call->reported = false;
	for (size_t i = 0; i < report->call_count; i++)
		take(master, machine, &report->calls[i]);
	p = &master->machines[machine].calls;
	while (*p) {
		struct held_call *call = *p;

		if (call->reported) {
			p = &call->next;
			continue;
		}
		*p = call->next;
		call->next = NULL;
		calls_free(call);
	}
}

int calls_write(const struct held_machine *machine, struct arena *arena, struct machine_wants *ret)
{
	struct task_answer *list;
	size_t count = 0;

	for (const struct held_call *call = machine->calls; call; call = call->next)
		count++;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (const struct held_call *call = machine->calls; call; call = call->next)
		list[ret->answer_count++] = (struct task_answer){
			.number = call->number,
			.status = call->status,
			.body = call->body ? call->body : "{}",
		};
	ret->answers = list;
	return 0;
}
