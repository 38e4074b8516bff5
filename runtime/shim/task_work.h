/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on a task's container that takes its time, by a child of the shim (work.h): one at a time,
 * and while it lasts the end of the init is not told. Signals and questions are answered meanwhile,
 * what changes the container is refused.
 */
#pragma once

#include "runtime/shim/task.h"
#include "runtime/shim/work.h"

struct container_criu_options;

typedef void (*task_work_fn)(struct task *task, struct work_result *result);

/* The container has hooks: making, starting and removing it may take long. */
bool task_work_is_wanted(const char *bundle);

/* Each begins, and calls done() from the loop. -errno: it did not begin. */
int task_work_create(struct task *task, task_work_fn done, struct err *err);
int task_work_start(struct task *task, task_work_fn done, struct err *err);
int task_work_destroy(struct task *task, task_work_fn done, struct err *err);
/* options are not needed any more when this returns. */
int task_work_checkpoint(struct task *task, const struct container_criu_options *options,
			 task_work_fn done, struct err *err);

/* What is under way is called off: its child is killed, and what destroys the container waits for
 * the end of it. */
void task_work_cancel(struct task *task);

/* FAILED_PRECONDITION, with the work that is under way. */
enum ttrpc_code task_check_idle(const struct task *task, struct err *err);
