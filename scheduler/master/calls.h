/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tasks with `api: true` ask of their cell (docs/framework.md). A task speaks for its job: it
 * reads and changes that job, its alloc set, and the jobs that its job has made; of nothing else it
 * learns whether it is there. Which task it is, its machine's agent says, and only tasks of that
 * machine are believed.
 *
 * An agent reports a call until it is answered. Each is carried out once, by its number, and its
 * answer is kept until the agent reports it no more.
 */
#pragma once

#include "scheduler/master/inside.h"

struct held_call;

/* Carries out what is new, and forgets what is reported no more. */
void calls_take(struct master *master, uint32_t machine, const struct machine_report *report);
/* All answers for the machine; strings live until the next calls_take(). -ENOMEM. */
int calls_write(const struct held_machine *machine, struct arena *arena, struct machine_wants *ret);
struct held_call *calls_free(struct held_call *calls);

/* May the job be handed in by that task? It becomes one that the task's job has made. */
int calls_check_file(struct master *master, const struct caller *caller, struct held_job *job,
		     struct err *err);
