/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/trial.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler/core/room.h"

void trial_deinit(struct trial *trial)
{
	map_deinit(&trial->at);
	free(trial->rooms);
}

struct trial_room *trial_room(struct trial *trial, uint32_t machine)
{
	uint32_t at = map_get(&trial->at, machine);
	struct trial_room *room;

	if (at != MAP_NONE)
		return &trial->rooms[at];
	if (state_grow(trial->rooms, trial->count, trial->size) < 0 ||
	    map_put(&trial->at, machine, (uint32_t)trial->count) < 0)
		return NULL;
	room = &trial->rooms[trial->count++];
	room_of(trial->cell, machine, &room->room);
	room->held = trial->cell->more[machine].held_back;
	room->machine = machine;
	return room;
}

void trial_leave(const struct trial *trial, struct trial_room *room, uint32_t task)
{
	const struct task *t = &trial->cell->tasks[task];

	room_add_task(trial->cell, t, &room->room);
	if (trial->cell->classes[t->class].priority < PRIORITY_PRODUCTION)
		return;
	room->held.of[RESOURCE_CPU] -= t->slack.cpu;
	room->held.of[RESOURCE_MEMORY] -= t->slack.memory;
}

void trial_take(struct trial_room *room, const struct request *request, const struct grip *grip)
{
	amounts_subtract(&room->room.free, &request->amounts);
	for (unsigned bits = grip->devices; bits; bits &= bits - 1) {
		uint16_t *free = &room->room.device_free[__builtin_ctz(bits)];

		*free = (uint16_t)(*free - request->device_milli);
	}
	for (unsigned bits = grip->nodes; bits; bits &= bits - 1) {
		struct node_room *free = &room->room.node_free[__builtin_ctz(bits)];

		free->cpu -= request->amounts.of[RESOURCE_CPU] / request->nodes;
		free->memory -= request->amounts.of[RESOURCE_MEMORY] / request->nodes;
	}
}

bool trial_fits(const struct trial *trial, const struct trial_room *room, const struct class *class,
		struct grip *ret)
{
	const struct cell *cell = trial->cell;
	struct room left = room->room;

	if (class->priority >= PRIORITY_PRODUCTION)
		amounts_subtract(&left.free, &room->held);
	return fit_room(cell->kinds[cell->machines[room->machine].kind], &class->request, &left,
			ret) == FIT_YES;
}
