/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port numbers. A machine has a range of ports to give away, as many as its capacity says: a task
 * that asks for a number of them gets the next free ones. And a task may ask for numbers of its
 * own choice, which lie outside of that range and have one holder a machine. What runs in an alloc
 * has its ports on the host.
 *
 * port_taken: host and number to the task that holds it; port_of: task and place to the number, the
 * chosen ones first.
 */
#pragma once

#include "scheduler/core/state.h"

/* Are the numbers that tasks of the class have chosen free there? */
bool ports_are_free(const struct cell *cell, const struct class *class, uint32_t machine);

#define PORT_NEVER (-2) /* in the machine's own range: no task can have it */

/* Who holds the i-th number that the class has chosen: a task, -1 for nobody, or PORT_NEVER. */
int64_t ports_holder(const struct cell *cell, const struct class *class, uint32_t machine,
		     uint32_t i);

/* The task lies on task->machine now. 0 or -ENOMEM, with nothing changed. */
int ports_take(struct cell *cell, uint32_t task);
/* Gives a running task that number in place of the i-th that was chosen for it. -EEXIST: another
 * one holds it, or it is none of the machine's; -ENOMEM. */
int ports_change(struct cell *cell, uint32_t task, uint32_t i, uint32_t port);
/* It leaves; what it had is remembered until ports_forget, so that ports_retake can undo it. */
void ports_give(struct cell *cell, uint32_t task);
void ports_retake(struct cell *cell, uint32_t task);
/* Does the class ask for any? Most do not, and are spared the calls. */
static inline bool ports_wanted(const struct class *class)
{
	return class->port_count || class->request.amounts.of[RESOURCE_PORTS];
}
/* How many the task has while it runs, and does it hold every one? */
uint32_t ports_count(const struct cell *cell, uint32_t task);
bool ports_are_held(const struct cell *cell, uint32_t task);
bool ports_could_retake(const struct cell *cell, uint32_t task);
void ports_forget(struct cell *cell, uint32_t task);
