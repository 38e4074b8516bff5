/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/core/class.h"
#include "scheduler/core/fit.h"
#include "scheduler/core/index.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/place.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/task.h"

/* ---- making and forgetting ---- */

static bool shares_device(const struct request *request)
{
	return request->device_count && request->device_milli != DEVICE_WHOLE;
}

int alloc_check(const struct cell *cell, const struct job *job, struct err *err)
{
	uint32_t name = symbol_find(&cell->symbols, job->alloc_set);
	uint32_t set = name ? map_get(&cell->job_of, name) : MAP_NONE;
	bool shares = shares_device(&job->request);

	if (job->alloc_set && (set == MAP_NONE || !cell->jobs[set].reserves))
		return err_say(err, ENOENT, "job %s: there is no alloc set called %s", job->name,
			       job->alloc_set);
	if (job->alloc_set && job->reserves)
		return err_say(err, EINVAL, "alloc set %s: it cannot lie in another one, %s",
			       job->name, job->alloc_set);
	for (size_t i = 0; i < job->override_count; i++)
		shares = shares || shares_device(&job->overrides[i].request);
	if (job->reserves && shares)
		return err_say(err, EINVAL, "alloc set %s: an alloc has whole devices only",
			       job->name);
	return 0;
}

static void describe_room(const struct cell *cell, const struct request *request,
			  struct machine_spec *ret)
{
	*ret = (struct machine_spec){
		.capacity = request->amounts,
		.node_count = request->nodes,
		.device_count = request->device_count,
		.device_model = symbol_name(&cell->symbols, request->device_model),
	};
	for (unsigned n = 0; n < request->nodes; n++) {
		ret->node[n].of[RESOURCE_CPU] = request->amounts.of[RESOURCE_CPU] / request->nodes;
		ret->node[n].of[RESOURCE_MEMORY] =
			request->amounts.of[RESOURCE_MEMORY] / request->nodes;
	}
}

static int make_room(struct cell *cell, uint32_t task)
{
	const struct cell_job *job = &cell->jobs[cell->tasks[task].job];
	const char *set = symbol_name(&cell->symbols, job->name);
	struct machine_more more = { .alloc = task, .followers = NONE };
	_cleanup_free_ char *name = NULL;
	struct machine_spec spec;
	int r;

	if (asprintf(&name, "%s/%u", set, cell->tasks[task].index) < 0)
		return -ENOMEM;
	describe_room(cell, &cell->classes[cell->tasks[task].class].request, &spec);
	r = symbol_intern(&cell->symbols, name, &more.name);
	cell->made++;
	return r < 0 ? r : kind_add_machine(cell, &spec, job->name, &more, &cell->tasks[task].room);
}

int alloc_make(struct cell *cell, uint32_t job, uint32_t from)
{
	int r = 0;

	for (uint32_t t = cell->jobs[job].tasks; r == 0 && t != NONE;
	     t = cell->tasks[t].next_in_job)
		if (cell->tasks[t].index >= from)
			r = make_room(cell, t);
	return r;
}

void alloc_forget(struct cell *cell, uint32_t task)
{
	uint32_t room = cell->tasks[task].room;

	if (room == NONE)
		return;
	cell->tasks[task].room = NONE;
	cell->kinds[cell->machines[room].kind]->machines--;
	cell->more[room].alloc = NONE;
	cell->more[room].followers = cell->free_rooms;
	cell->free_rooms = room;
}

/* ---- another size ---- */

int alloc_check_resize(const struct cell *cell, uint32_t task, const struct request *request,
		       struct err *err)
{
	const struct task *t = &cell->tasks[task];
	const struct request *was = &cell->classes[t->class].request;
	const char *name = symbol_name(&cell->symbols, cell->more[t->room].name);
	struct amounts used = was->amounts;

	if (request->device_count != was->device_count ||
	    request->device_milli != was->device_milli ||
	    request->device_model != was->device_model || request->nodes != was->nodes)
		return err_say(err, EINVAL, "alloc %s: its devices and NUMA nodes stay as they are",
			       name);
	amounts_subtract(&used, &cell->machines[t->room].free);
	if (!amounts_fit(&used, &request->amounts) ||
	    (was->nodes && !amounts_fit(&was->amounts, &request->amounts) &&
	     cell->machines[t->room].task_count))
		return err_say(err, ENOSPC, "alloc %s: the tasks in it hold more than that", name);
	return 0;
}

int alloc_kind(struct cell *cell, uint32_t task, const struct request *request, uint32_t *ret)
{
	struct machine_spec spec;

	describe_room(cell, request, &spec);
	return kind_find(cell, &spec, cell->jobs[cell->tasks[task].job].name, ret);
}

void alloc_rekind(struct cell *cell, uint32_t task, uint32_t kind)
{
	uint32_t room = cell->tasks[task].room;
	struct machine *m = &cell->machines[room];
	struct kind *was = cell->kinds[m->kind], *is = cell->kinds[kind];
	bool up = m->state == MACHINE_UP;

	if (up)
		index_remove(cell, room);
	was->machines--;
	was->up -= up;
	is->machines++;
	is->up += up;
	amounts_subtract(&m->free, &was->capacity);
	amounts_add(&m->free, &is->capacity);
	for (unsigned n = 0; n < is->node_count; n++) {
		cell->more[room].node_free[n].cpu += is->node[n].cpu - was->node[n].cpu;
		cell->more[room].node_free[n].memory += is->node[n].memory - was->node[n].memory;
	}
	m->kind = kind;
	m->strand_epoch = 0;
	index_grow(cell, is);
	if (up) {
		index_insert(cell, room);
		class_wake(cell, room);
	}
}

/* ---- tasks that come along ---- */

bool alloc_keeps(const struct cell *cell, uint32_t machine)
{
	uint32_t alloc = machine == NONE ? NONE : cell->more[machine].alloc;

	return alloc != NONE && cell->machines[machine].state == MACHINE_DOWN &&
	       !cell->tasks[alloc].ending;
}

void alloc_follow(struct cell *cell, uint32_t task, uint32_t room)
{
	struct task *t = &cell->tasks[task];
	struct machine_more *more = &cell->more[room];

	t->follows = room;
	t->previous = NONE;
	t->next = more->followers;
	if (t->next != NONE)
		cell->tasks[t->next].previous = task;
	more->followers = task;
	cell->following++;
}

void alloc_unfollow(struct cell *cell, uint32_t task)
{
	struct task *t = &cell->tasks[task];

	if (t->previous == NONE)
		cell->more[t->follows].followers = t->next;
	else
		cell->tasks[t->previous].next = t->next;
	if (t->next != NONE)
		cell->tasks[t->next].previous = t->previous;
	t->next = t->previous = NONE;
	t->follows = NONE;
	cell->following--;
}

/* Into its old room; where it no longer fits (it may have run on what was lent) it gets in line. */
static void come_back(struct cell *cell, uint32_t task, uint32_t room)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];
	struct choice choice = { .machine = room, .examined = 1 };

	alloc_unfollow(cell, task);
	queue_push(cell, task);
	if (fit_machine(cell, class, room, &choice.grip) != FIT_YES ||
	    task_start(cell, task, room, &choice.grip) < 0)
		return;
	place_tell(cell, task, &choice);
	cell->placed++;
}

/* ---- the alloc's way ---- */

void alloc_offer(struct cell *cell, uint32_t task)
{
	const struct task *t = &cell->tasks[task];
	uint32_t room = t->room;

	if (room == NONE)
		return;
	memcpy(cell->more[room].domain, cell->more[t->machine].domain,
	       sizeof(cell->more[room].domain));
	cell_set_machine(cell, room, MACHINE_UP);
	while (cell->more[room].followers != NONE)
		come_back(cell, cell->more[room].followers, room);
}

void alloc_leaves(struct cell *cell, uint32_t task, bool for_good)
{
	uint32_t room = cell->tasks[task].room;

	if (room == NONE)
		return;
	cell->tasks[task].ending = for_good;
	cell_set_machine(cell, room, MACHINE_DOWN);
	while (for_good && cell->more[room].followers != NONE) {
		uint32_t follower = cell->more[room].followers;

		alloc_unfollow(cell, follower);
		queue_push(cell, follower);
	}
}

void alloc_host_changed(struct cell *cell, uint32_t machine)
{
	enum machine_state state = cell->machines[machine].state;

	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next)
		if (cell->tasks[t].room != NONE)
			cell_set_machine(cell, cell->tasks[t].room,
					 state == MACHINE_UP ? MACHINE_UP : MACHINE_CORDONED);
}
