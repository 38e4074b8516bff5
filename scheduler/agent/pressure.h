/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine whose memory runs out: the kernel would kill somebody, and before that everybody would
 * stand still. So the lowest task goes first, one at a time, and the machine says that it takes no
 * new ones for a while.
 *
 * It runs out when little is available; or when not much is, and tasks lose time for want of it
 * (PSI, where the kernel has that); or when the tasks, to which more was lent than there is, use
 * more than the machine has for them.
 */
#pragma once

#include "scheduler/agent/box.h"

struct pressure;

/* Without PSI it looks once a second all the same. NULL when out of memory. */
struct pressure *pressure_new(struct agent *agent);
struct pressure *pressure_free(struct pressure *pressure);

/* Takes no new tasks now. */
bool pressure_is_on(const struct agent *agent);

/* ---- for tests ---- */

struct pressure_look {
	int64_t total_bytes, available_bytes; /* of the machine */
	double stalled;			      /* part of the last seconds in which a task waited */
};

bool pressure_is_high(const struct pressure_look *look);
/* The lowest that runs; of equal ones batch before what somebody waits for, then the largest. */
struct box *pressure_victim(const struct agent *agent);
