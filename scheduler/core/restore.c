/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/restore.h"

#include <errno.h>

#include "scheduler/core/alloc.h"
#include "scheduler/core/task.h"

int cell_restore_task(struct cell *cell, uint32_t task, uint32_t machine)
{
	struct class *class = &cell->classes[cell->tasks[task].class];
	struct grip grip = { 0 };
	int r;

	if (!fit_kind(cell, class, cell->machines[machine].kind) ||
	    fit_machine(cell, class, machine, &grip) != FIT_YES)
		return -EAGAIN;
	r = task_start(cell, task, machine, &grip);
	if (r == 0)
		alloc_offer(cell, task);
	return r;
}
