/* SPDX-License-Identifier: Apache-2.0 */
/* A cell that is put together again from what somebody else remembers. */
#pragma once

#include "scheduler/core/cell.h"

/* A pending task runs on that machine already, with these port numbers (see cell_task_port). No
 * event tells of it. -EAGAIN: it does not fit, and goes on pending; -ENOMEM. */
int cell_restore_task(struct cell *cell, uint32_t task, uint32_t machine, const uint16_t *ports,
		      uint32_t port_count);
