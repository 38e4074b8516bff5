/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/restore.h"

#include <errno.h>

#include "scheduler/core/alloc.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/task.h"
#include "scheduler/core/timer.h"

int cell_restore_task(struct cell *cell, uint32_t task, uint32_t machine, const uint16_t *ports,
		      uint32_t port_count)
{
	struct class *class = &cell->classes[cell->tasks[task].class];
	struct grip grip = { 0 };
	int r;

	if (!fit_kind(cell, class, cell->machines[machine].kind) ||
	    fit_machine(cell, class, machine, &grip) != FIT_YES)
		return -EAGAIN;
	/* One that was to wait for another job, or for the end of a hold. */
	if (cell->tasks[task].timer != NONE) {
		timer_cancel(cell, task);
		queue_push(cell, task);
	}
	r = task_start(cell, task, machine, &grip);
	/* Numbers of the job's own choice are what they are. */
	for (uint32_t i = 0; r == 0 && i < port_count; i++)
		ports_change(cell, task, i, ports[i]);
	if (r == 0)
		alloc_offer(cell, task);
	return r;
}
