/* SPDX-License-Identifier: Apache-2.0 */
/* Rooms as they would be: copies of what is free on some machines, changed without the cell. */
#pragma once

#include "scheduler/core/fit.h"

struct trial_room {
	struct room room;
	struct amounts held; /* of it, what production may not count on */
	uint32_t machine;
};

struct trial {
	struct cell *cell;
	struct map at; /* machine to room */
	struct trial_room *rooms;
	size_t count, size;
};

void trial_deinit(struct trial *trial);
/* The room of a machine, copied on first use; it stays put until the next call. NULL: no memory. */
struct trial_room *trial_room(struct trial *trial, uint32_t machine);
/* A task leaves; a request comes. */
void trial_leave(const struct trial *trial, struct trial_room *room, uint32_t task);
void trial_take(struct trial_room *room, const struct request *request, const struct grip *grip);
/* Amounts, devices and nodes alone. */
bool trial_fits(const struct trial *trial, const struct trial_room *room, const struct class *class,
		struct grip *ret);
