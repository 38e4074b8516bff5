/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a cell reacts to machines that go: 100 tasks at once, then 50 a second. A switch that
 * was lost takes hundreds of machines with it, often for a minute only; what waits for its slot may
 * find them back.
 */
#pragma once

#include "scheduler/core/state.h"

/* When a lost task may be placed anew: a time not before now. */
int64_t drain_lost_ms(struct cell *cell);

/* Takes tasks off draining machines, as fast as allowed and as disruption budgets let it. */
void drain_step(struct cell *cell);
/* When there is more to take off; INT64_MAX: nothing, or only what a budget holds. */
int64_t drain_next_ms(const struct cell *cell);
