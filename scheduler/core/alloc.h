/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alloc sets. A set is a job whose tasks are allocs: it is placed as a gang, so that all of it is
 * reserved or nothing. Each alloc has a room: a machine of the alloc's size, of a kind of its set's
 * own, that is up while the alloc lies on a real machine, its host, and has the host's failure
 * domains and attributes. So what is placed in a set is placed as everywhere else, by the same
 * index and the same score.
 *
 * When an alloc loses its place, its room is down, and the tasks in it follow the alloc: they stand
 * in no line, and start again in the same room as soon as it is up. Inside of a room the priority
 * of the tasks counts, outside only that of the set.
 */
#pragma once

#include "scheduler/core/state.h"

/* Is the set that the job names there; can such an alloc be? */
int alloc_check(const struct cell *cell, const struct job *job, struct err *err);
/* Gives each task of the job from that index on a room, down. 0 or -ENOMEM; alloc_forget cleans
 * up. */
int alloc_make(struct cell *cell, uint32_t job, uint32_t from);
/* The task is forgotten, and its room, if it is an alloc. */
void alloc_forget(struct cell *cell, uint32_t task);

/* May the alloc ask for that? Devices and NUMA nodes stay, and what is in it must not be cut. */
int alloc_check_resize(const struct cell *cell, uint32_t task, const struct request *request,
		       struct err *err);
/* The kind of its room with that request: 0 or -ENOMEM. And the room becomes of that kind. */
int alloc_kind(struct cell *cell, uint32_t task, const struct request *request, uint32_t *ret);
void alloc_rekind(struct cell *cell, uint32_t task, uint32_t kind);

/* The alloc has been placed (and its whole set, where that was to come first): lets tasks in. All
 * four do nothing with what is no alloc, no host, no room. */
void alloc_offer(struct cell *cell, uint32_t task);
/* It is about to leave its place; for good, or to pend again. */
void alloc_leaves(struct cell *cell, uint32_t task, bool for_good);
/* The state of a machine has changed: no room takes what its host would not. */
void alloc_host_changed(struct cell *cell, uint32_t machine);
/* Do tasks that leave this machine now follow an alloc? */
bool alloc_keeps(const struct cell *cell, uint32_t machine);

void alloc_follow(struct cell *cell, uint32_t task, uint32_t room);
void alloc_unfollow(struct cell *cell, uint32_t task);
