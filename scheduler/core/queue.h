/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pending queue: by priority, and within one in turns between owners; what an owner has of one
 * class is a line, first come first. Lines of a blocked class stand aside, so that nothing waits
 * behind what cannot be placed.
 */
#pragma once

#include "scheduler/core/state.h"

void queue_init(struct queue *queue);
void queue_deinit(struct queue *queue);

/* Makes sure that the owner has a line for the class: 0 or -ENOMEM. Then push never fails. */
int queue_reserve(struct cell *cell, uint32_t class, uint32_t owner);

/* Behind all of its line, or in front when it came before them. */
void queue_push(struct cell *cell, uint32_t task);
void queue_remove(struct cell *cell, uint32_t task);
/* The task whose turn it is; NONE. It stays in the queue; the next turn is another owner's. */
uint32_t queue_next(struct cell *cell);

void queue_class_blocked(struct cell *cell, uint32_t class);
void queue_class_woken(struct cell *cell, uint32_t class);

/* Marks the line of that class and owner, where there is one. */
void queue_mark(const struct cell *cell, uint32_t class, uint32_t owner, uint8_t *used);
/* Forgets the lines that are not marked, which are empty, and the turns that have none then, which
 * are marked in `turns`. */
void queue_sweep(struct cell *cell, const uint8_t *used, uint8_t *turns);
