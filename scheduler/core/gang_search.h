/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to start a gang that loses least work, by search. On each of up to 64 machines it is
 * worked out what making room for every number of members would cost (all subsets of the victims
 * where they are few, else from the lowest upwards); then the numbers are shared out among the
 * machines. Victims of the lowest band that does come first. Exact for members whose amounts alone
 * matter; what devices and NUMA nodes allow is tried one member after the other.
 */
#pragma once

#include "base/arena.h"
#include "scheduler/core/state.h"

struct gang_seating {
	uint32_t *machines; /* by member, in the order of the tasks given */
	uint32_t *victims;
	size_t victim_count;
};

/* 1, found; 0: nothing found, or the gang has too many members or rules that this does not know;
 * -ENOMEM. What it returns is in the arena. Nothing changes. */
int gang_search(struct cell *cell, const uint32_t *tasks, size_t count, struct arena *arena,
		struct gang_seating *ret);
