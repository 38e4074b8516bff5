/* SPDX-License-Identifier: Apache-2.0 */
/* Into the containers of tasks: who may, where they are, and which streams machines are to take up
 * (scheduler/api/streams.h has their bytes). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"

#define COMMAND_SHOWN 120

struct summons {
	struct summons *next;
	char stream[64];
};

static int find_task(const struct held_job *job, uint32_t index, struct held_task **ret,
		     struct err *err)
{
	const char *name = job_name(job);

	if (!job->file.job)
		return err_say(err, EINVAL, "alloc set %s: nothing runs for it", name);
	if (index == NOBODY && job->count != 1)
		return err_say(err, EINVAL, "job %s has %" PRIu32 " tasks; say which: %s/0", name,
			       job->count, name);
	index = index == NOBODY ? 0 : index;
	if (index >= job->count)
		return err_say(err, ENOENT,
			       "job %s has no task %" PRIu32 ", but %" PRIu32 " of them", name,
			       index, job->count);
	*ret = &job->tasks[index];
	return 0;
}

static int reach(struct master *master, const struct caller *caller, const char *name,
		 struct master_reach *reach, struct err *err)
{
	struct held_job *job = job_find(master, name);
	struct held_task *task;

	if (!job)
		return err_say(err, ENOENT, "there is no job called %s", name);
	err_try(rules_check_owner(master, caller, job->file.owner, err));
	err_try(find_task(job, reach->index, &task, err));
	if (task->at == NOBODY || !task->container)
		return err_say(err, ENOENT, "task %s/%" PRIu32 " has no container on any machine",
			       name, task->index);
	if (reach->command && (!task->live || task->state != REPORT_RUNNING))
		return err_say(err, EINVAL, "task %s/%" PRIu32 " is %s, not running", name,
			       task->index, view_state(task));
	snprintf(reach->machine, sizeof(reach->machine), "%s", master->machines[task->at].name);
	snprintf(reach->container, sizeof(reach->container), "%s", task->container);
	reach->index = task->index;
	return 0;
}

int master_reach(struct master *master, const struct caller *caller, const char *name,
		 struct master_reach *ret, struct err *err)
{
	int r = reach(master, caller, name, ret, err);

	if (!ret->command)
		return r;
	return master_audit(master, caller, r, err, "execute in %s/%" PRIu32 ": %.*s", name,
			    ret->index == NOBODY ? 0 : ret->index, COMMAND_SHOWN, ret->command);
}

/* ---- summons ---- */

int master_summon(struct master *master, const char *name, const char *stream, struct err *err)
{
	struct held_machine *machine = machine_find(master, name);
	struct summons *summons;

	if (!machine || machine->down || !machine->contact)
		return err_say(err, EAGAIN, "machine %s is not reached now", name);
	summons = calloc(1, sizeof(*summons));
	if (!summons)
		return err_set(err, ENOMEM, "call machine %s", name);
	snprintf(summons->stream, sizeof(summons->stream), "%s", stream);
	summons->next = machine->summons;
	machine->summons = summons;
	machine->contact->poke(machine->contact->data);
	return 0;
}

void master_dismiss(struct master *master, const char *name, const char *stream)
{
	struct held_machine *machine = machine_find(master, name);
	struct summons **p = machine ? &machine->summons : NULL, *summons;

	while (p && *p && strcmp((*p)->stream, stream) != 0)
		p = &(*p)->next;
	if (!p || !*p)
		return;
	summons = *p;
	*p = summons->next;
	free(summons);
}

int reach_write(const struct held_machine *machine, struct arena *arena, struct machine_wants *ret)
{
	const char **list;
	size_t count = 0;

	for (const struct summons *s = machine->summons; s; s = s->next)
		count++;
	if (!count)
		return 0;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	count = 0;
	for (const struct summons *s = machine->summons; s; s = s->next)
		list[count++] = s->stream;
	ret->streams = list;
	return 0;
}

struct summons *reach_free(struct summons *summons)
{
	while (summons) {
		struct summons *next = summons->next;

		free(summons);
		summons = next;
	}
	return NULL;
}
