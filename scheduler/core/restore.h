/* SPDX-License-Identifier: Apache-2.0 */
/* A cell that is put together again from what somebody else remembers. */
#pragma once

#include "scheduler/core/cell.h"

/*
 * A pending task runs on that machine already, with these port numbers (see cell_task_port); or
 * stands still there, paused. No event tells of it. How much was lent of what it asks for nobody
 * remembers: below production what is not free any more counts as lent, so production comes first.
 * -EAGAIN: it does not fit, and goes on pending; -ENOMEM.
 */
int cell_restore_task(struct cell *cell, uint32_t task, uint32_t machine, const uint16_t *ports,
		      uint32_t port_count, bool paused);

/* A pending task goes to that machine, where it can: its checkpoint lies there. NOBODY: it has none
 * any more. */
void cell_prefer(struct cell *cell, uint32_t task, uint32_t machine);
