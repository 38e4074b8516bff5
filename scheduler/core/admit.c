/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: a job comes in whole, or not at all and with a reason. */
#include "scheduler/core/admit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/after.h"
#include "scheduler/core/alloc.h"
#include "scheduler/core/class.h"
#include "scheduler/core/demand.h"
#include "scheduler/core/hold.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/quota.h"
#include "scheduler/core/tidy.h"
#include "scheduler/core/timer.h"

#define DIVISION_MAX 4096
#define NOTICE_MAX_MS (24 * 3600 * 1000)

int admit_check_request(const char *job, const struct request *request, struct err *err)
{
	static const char *const names[RESOURCE_COUNT] = { "CPU", "memory", "disk", "ports" };

	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (request->amounts.of[r] < 0 || request->amounts.of[r] > AMOUNT_MAX)
			return err_say(err, ERANGE,
				       "job %s: %" PRId64
				       " of %s cannot be asked for (0 to %" PRId64 ")",
				       job, request->amounts.of[r], names[r], AMOUNT_MAX);
	if (request->device_count > MACHINE_DEVICES_MAX)
		return err_say(err, ERANGE, "job %s: %d devices are more than a machine can have",
			       job, request->device_count);
	if (request->device_count &&
	    (!request->device_milli || request->device_milli > DEVICE_WHOLE))
		return err_say(err, ERANGE, "job %s: %d is no share of a device (1 to %d)", job,
			       request->device_milli, DEVICE_WHOLE);
	if (request->device_count > 1 && request->device_milli != DEVICE_WHOLE)
		return err_say(err, EINVAL, "job %s: more than one device means whole ones", job);
	if (request->amounts.of[RESOURCE_PORTS] > 65536)
		return err_say(err, ERANGE, "job %s: %" PRId64 " ports are more than there are",
			       job, request->amounts.of[RESOURCE_PORTS]);
	if (request->nodes > MACHINE_NODES_MAX)
		return err_say(err, ERANGE,
			       "job %s: %u NUMA nodes are more than a machine can have", job,
			       request->nodes);
	return 0;
}

static bool may_run_here(const struct cell *cell, const struct job *job)
{
	for (size_t i = 0; i < job->cell_count; i++)
		if (cell->name &&
		    strcmp(job->cells[i], symbol_name(&cell->symbols, cell->name)) == 0)
			return true;
	return !job->cell_count;
}

static int check_ports(const struct job *job, struct err *err)
{
	for (size_t i = 0; i < job->host_port_count; i++) {
		if (!job->host_ports[i])
			return err_say(err, ERANGE, "job %s: 0 is no port", job->name);
		for (size_t k = 0; k < i; k++)
			if (job->host_ports[k] == job->host_ports[i])
				return err_say(err, EINVAL, "job %s: port %u twice", job->name,
					       job->host_ports[i]);
	}
	return 0;
}

static int check_job(const struct cell *cell, const struct job *job, struct err *err)
{
	const char *name = job->name ? job->name : "";
	uint32_t symbol = symbol_find(&cell->symbols, name);
	int r;

	if (!*name)
		return err_say(err, EINVAL, "a job needs a name");
	if (symbol && map_get(&cell->job_of, symbol) != MAP_NONE)
		return err_say(err, EEXIST, "there is a job called %s already", name);
	if (job->priority > PRIORITY_MAX)
		return err_say(err, ERANGE, "job %s: %u is no priority (0 to %d)", name,
			       job->priority, PRIORITY_MAX);
	if (!job->count || job->count > ADMIT_TASKS_MAX)
		return err_say(err, ERANGE, "job %s: %u is no number of tasks (1 to %d)", name,
			       job->count, ADMIT_TASKS_MAX);
	if (!may_run_here(cell, job))
		return err_say(err, EPERM, "job %s: it may not run in this cell%s%s", name,
			       cell->name ? ", " : "", symbol_name(&cell->symbols, cell->name));
	if (job->spread.kind == job->affinity.kind && job->spread.kind != SPREAD_NONE &&
	    job->spread.domain == job->affinity.domain)
		return err_say(err, EINVAL, "job %s: two spread rules of one kind over one domain",
			       name);
	if (job->affinity.kind == SPREAD_DIVIDED ||
	    (job->spread.kind == SPREAD_DIVIDED && job->spread.soft))
		return err_say(err, EINVAL, "job %s: divisions are demanded, in the first rule",
			       name);
	if (job->host_port_count && job->reserves)
		return err_say(err, EINVAL, "alloc set %s: ports are chosen by the tasks in it",
			       name);
	if (job->notice_ms < 0 || job->notice_ms > NOTICE_MAX_MS)
		return err_say(err, ERANGE, "job %s: %" PRId64 " ms is no notice (0 to %d)", name,
			       job->notice_ms, NOTICE_MAX_MS);
	if (job->spread.division >= DIVISION_MAX)
		return err_say(err, ERANGE, "job %s: %u is no division of a group (below %d)", name,
			       job->spread.division, DIVISION_MAX);
	r = check_ports(job, err);
	if (r == 0)
		r = admit_check_request(name, &job->request, err);
	for (size_t i = 0; r == 0 && i < job->override_count; i++) {
		if (job->overrides[i].index >= job->count ||
		    (i && job->overrides[i].index <= job->overrides[i - 1].index))
			return err_say(
				err, EINVAL,
				"job %s: there is no task %u to override, or it is out of order",
				name, job->overrides[i].index);
		r = admit_check_request(name, &job->overrides[i].request, err);
	}
	return r == 0 ? alloc_check(cell, job, err) : r;
}

/* ---- making it ---- */

static int new_task(struct cell *cell, uint32_t *ret)
{
	int r;

	*ret = cell->free_tasks;
	if (*ret != NONE) {
		cell->free_tasks = cell->tasks[*ret].next_in_job;
		return 0;
	}
	r = state_grow(cell->tasks, cell->task_count, cell->task_size);
	if (r == 0)
		r = timer_reserve(cell);
	if (r == 0)
		*ret = (uint32_t)cell->task_count++;
	return r;
}

static int new_job(struct cell *cell, uint32_t *ret)
{
	int r;

	*ret = cell->free_jobs;
	if (*ret != NONE) {
		cell->free_jobs = cell->jobs[*ret].tasks;
		return 0;
	}
	r = state_grow(cell->jobs, cell->job_count, cell->job_size);
	if (r == 0)
		*ret = (uint32_t)cell->job_count++;
	return r;
}

static void want(struct cell *cell, const struct class *class)
{
	demand_add(cell, class);
	cell->classes[class - cell->classes].tasks++;
}

/* Its last task below that index; NONE. */
static uint32_t last_before(const struct cell *cell, uint32_t j, uint32_t index)
{
	uint32_t last = NONE;

	for (uint32_t t = cell->jobs[j].tasks; t != NONE && cell->tasks[t].index < index;
	     t = cell->tasks[t].next_in_job)
		last = t;
	return last;
}

struct task admit_new(struct cell *cell, uint32_t j, uint32_t index, uint32_t class)
{
	return (struct task){
		.job = j,
		.index = index,
		.class = class,
		.machine = NONE,
		.next = NONE,
		.previous = NONE,
		.next_in_job = NONE,
		.avoid = NONE,
		.rather = NONE,
		.timer = NONE,
		.room = NONE,
		.follows = NONE,
		.since_ms = cell->outside->now_ms,
		.sequence = cell->sequence++,
	};
}

int admit_make_from(struct cell *cell, const struct job *job, uint32_t j, uint32_t from)
{
	uint32_t class = NONE, plain = NONE, previous = last_before(cell, j, from), *link;
	uint64_t ports = 0, places = 0;
	size_t next = 0;
	int r;

	while (next < job->override_count && job->overrides[next].index < from)
		next++;
	r = class_find(cell, job, &job->request, &plain);
	if (r == 0)
		r = queue_reserve(cell, plain, cell->jobs[j].owner);
	for (uint32_t i = from; r == 0 && i < job->count; i++) {
		uint32_t task;

		class = plain;
		if (next < job->override_count && job->overrides[next].index == i) {
			r = class_find(cell, job, &job->overrides[next++].request, &class);
			if (r == 0)
				r = queue_reserve(cell, class, cell->jobs[j].owner);
		}
		if (r < 0 || (r = new_task(cell, &task)) < 0)
			break;
		cell->tasks[task] = admit_new(cell, j, i, class);
		/* The array may have moved. */
		link = previous == NONE ? &cell->jobs[j].tasks : &cell->tasks[previous].next_in_job;
		*link = task;
		previous = task;
		ports += demand_ports(&cell->classes[class]);
		places += demand_places(&cell->classes[class]);
	}
	return r == 0 ? demand_reserve_tables(cell, ports, places) : r;
}

void admit_forget_from(struct cell *cell, uint32_t j, uint32_t from)
{
	uint32_t last = last_before(cell, j, from);
	uint32_t *link = last == NONE ? &cell->jobs[j].tasks : &cell->tasks[last].next_in_job;
	uint32_t first = *link;

	*link = NONE;
	for (uint32_t t = first, next; t != NONE; t = next) {
		next = cell->tasks[t].next_in_job;
		alloc_forget(cell, t);
		cell->tasks[t] = (struct task){ .job = NONE,
						.next_in_job = cell->free_tasks,
						.room = NONE,
						.follows = NONE,
						.state = TASK_ENDED };
		cell->free_tasks = t;
	}
}

static void forget_job(struct cell *cell, uint32_t j)
{
	admit_forget_from(cell, j, 0);
	cell->jobs[j] = (struct cell_job){ .tasks = cell->free_jobs };
	cell->free_jobs = j;
}

static int make_job(struct cell *cell, const struct job *job, uint32_t *ret)
{
	struct cell_job made = {
		.priority = job->priority,
		.tasks = NONE,
		.waiters = NONE,
		.count = job->count,
		.alive = job->count,
		.budget = job->disruption_budget,
		.gang = job->gang || job->reserves,
		.reserves = job->reserves,
		.latency_sensitive = job->latency_sensitive,
		.on_preemption = (uint8_t)job->on_preemption,
		.notice_ms = (uint32_t)job->notice_ms,
		.next_held = NONE,
		.restart = (uint8_t)job->restart.when,
		.restart_most = job->restart.most,
		.backoff_ms = job->restart.backoff_ms,
		.backoff_max_ms = job->restart.backoff_max_ms,
	};
	int r = symbol_intern(&cell->symbols, job->name, &made.name);

	if (r == 0)
		r = symbol_intern(&cell->symbols, job->owner ? job->owner : "", &made.owner);
	if (r == 0)
		r = symbol_intern(&cell->symbols, job->alloc_set, &made.set);
	if (r == 0)
		r = new_job(cell, ret);
	if (r < 0)
		return r;
	cell->jobs[*ret] = made;
	cell->made++;
	r = admit_make_from(cell, job, *ret, 0);
	if (r == 0 && job->reserves)
		r = alloc_make(cell, *ret, 0);
	if (r == 0)
		r = map_put(&cell->job_of, made.name, *ret);
	if (r == 0 && job->after_count && (r = after_add(cell, job, *ret)) < 0)
		map_remove(&cell->job_of, made.name);
	if (r < 0)
		forget_job(cell, *ret);
	return r;
}

int cell_submit(struct cell *cell, const struct job *job, uint32_t *ret_job, struct err *err)
{
	bool held;
	uint32_t j;
	int r;

	if (tidy_is_due(cell))
		cell_tidy(cell);
	r = check_job(cell, job, err);

	if (r == 0)
		r = after_check(cell, job, err);
	if (r == 0)
		r = quota_check(cell, job, err);
	if (r < 0)
		return r;
	if (make_job(cell, job, &j) < 0)
		return err_set(err, ENOMEM, "submit job %s", job->name);
	cell_tell(cell, &(struct event){ .kind = EVENT_SUBMIT,
					 .job = j,
					 .task = cell->jobs[j].tasks,
					 .machine = NOBODY,
					 .other = NOBODY,
					 .count = job->count,
					 .priority = job->priority });
	for (uint32_t t = cell->jobs[j].tasks; t != NONE; t = cell->tasks[t].next_in_job) {
		want(cell, &cell->classes[cell->tasks[t].class]);
		/* The class of a gang of this name that was proven not to fit: another number may.
		 */
		if (cell->jobs[j].gang)
			class_unblock(cell, cell->tasks[t].class);
		quota_charge(cell, &cell->jobs[j], &cell->classes[cell->tasks[t].class].request);
	}
	held = hold_job(cell, j);
	for (uint32_t t = cell->jobs[j].tasks; t != NONE; t = cell->tasks[t].next_in_job) {
		if (held || cell->jobs[j].waiting)
			timer_set(cell, t, INT64_MAX);
		else
			queue_push(cell, t);
	}
	if (ret_job)
		*ret_job = j;
	return 0;
}

void cell_remove_job(struct cell *cell, uint32_t job)
{
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].state != TASK_ENDED)
			cell_end_task(cell, t, END_KILLED);
	after_forget(cell, job);
	map_remove(&cell->job_of, cell->jobs[job].name);
	forget_job(cell, job);
}
