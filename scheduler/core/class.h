/* SPDX-License-Identifier: Apache-2.0 */
/* Equivalence classes of tasks, and the requests (shapes) behind them. */
#pragma once

#include "scheduler/core/state.h"

/* The class of the job's tasks with that request, made where it is new. 0 or -ENOMEM. */
int class_find(struct cell *cell, const struct job *job, const struct request *request,
	       uint32_t *ret);

/* The class that differs from that one in the request alone. 0 or -ENOMEM. */
int class_with(struct cell *cell, uint32_t class, const struct request *request, uint32_t *ret);
/* The class of what is to join tasks of that one, see gang.h. 0 or -ENOMEM. */
int class_joining(struct cell *cell, uint32_t class, uint32_t *ret);

/* It is proven to fit nowhere: its lines wait. */
void class_block(struct cell *cell, uint32_t class);
/* Room came on a machine: wakes the blocked classes that it can help. */
void class_wake(struct cell *cell, uint32_t machine);
/* A new pass: wakes what was blocked only because a victim may not preempt in the same one. */
void class_wake_held(struct cell *cell);
void class_wake_all(struct cell *cell);
/* Wakes one, or all of a group: something else than room has changed. */
void class_unblock(struct cell *cell, uint32_t class);
void class_wake_group(struct cell *cell, uint32_t group);

/* Forgets the classes that are not marked, and the shapes that none has then, which are marked in
 * `shapes`. */
void classes_sweep(struct cell *cell, const uint8_t *used, uint8_t *shapes);

void classes_deinit(struct cell *cell);
