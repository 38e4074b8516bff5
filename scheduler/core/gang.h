/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gangs: the tasks of such a job start all in one decision, or none does. Classes of a gang are its
 * own, so that its waiting holds up nobody else. A task that ends early starts again by itself. A
 * gang preempts nobody.
 */
#pragma once

#include "scheduler/core/state.h"

/* Is it a gang of which nothing runs, and all of which stands in the queue? */
bool gang_is_whole(const struct cell *cell, uint32_t job);
/* Places all of it: 1, placed or proven not to fit; -ENOMEM. */
int gang_decide(struct cell *cell, uint32_t job);
