/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gangs: the tasks of such a job start all in one decision, or none does. Classes of a gang are its
 * own, so that its waiting holds up nobody else. A task that ends early starts again by itself.
 *
 * A gang that runs may get more members. They join it all in one decision, or none does: until then
 * they are of classes of their own, so that their waiting does not hold up a member that starts
 * again. They come after it: while it has lost its place as a whole they wait for it.
 *
 * Where a gang does not fit it is tried a second time with preemption, the largest task first: each
 * that finds no place takes its cheapest victims, by the rules of preempt.h, on the cell as it is
 * with the victims lifted out. When all have a place, victims who need not have gone stay, the
 * dearest first; then they leave for real. When one has none, nothing has happened.
 */
#pragma once

#include "scheduler/core/state.h"

/* Does the task start with others or not at all? It is one of a gang of which nothing runs, and all
 * of which stands in the queue; or of those that are to join one. */
bool gang_is_whole(const struct cell *cell, uint32_t task);
/* Places it and those others: 1, placed or proven not to fit; -ENOMEM. */
int gang_decide(struct cell *cell, uint32_t task);
/* Whoever is to join the job may be placed now, as it was not before. */
void gang_wake_joining(struct cell *cell, uint32_t job);
/* Where it could start if nobody of its priority or below were in the way: the machines, each once,
 * at most as many as the job has tasks. Returns how many; 0: nowhere. Nothing changes. */
uint32_t gang_find_room(struct cell *cell, uint32_t task, uint32_t *ret_machines);
