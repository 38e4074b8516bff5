/* SPDX-License-Identifier: Apache-2.0 */
/* The end of processes: reaped, drained, reported, deleted; and of a container that ctr made. */
#pragma once

#include "runtime/shim/task.h"

/* Reports to the shim when the process dies. -ENOMEM. */
int process_watch(struct process *process);

/* For a process that was reaped by somebody else, or never came to life. */
void process_end(struct process *process, uint32_t exit_code);

/* The same, when no restart follows; what process_end() finds out by itself. */
void process_is_over(struct process *process);

/* Nothing is done with it any more that its end had to wait for. */
void process_catch_up(struct process *process);

void process_publish_exit(const struct process *process);

/* Once all is told and all output is delivered: the container is removed, where that was asked for,
 * and the shim may end. Before that nothing happens. */
void task_finish(struct task *task);

/* io_options.drained of a process. */
void process_drained(void *process);

/* Answers call with the process's end and forgets the process; waits until it has ended and its
 * output is delivered (10 s at most). */
void process_delete(struct process *process, struct rpc_call *call);
