/* SPDX-License-Identifier: Apache-2.0 */
/* A task's container, made and run: for Create and Start, and again when it is restarted. */
#pragma once

#include "runtime/shim/backend.h"
#include "runtime/shim/task.h"

/* Opens log, spool and stdio. pipes: of a container that is adopted, taken over; NULL. ready:
 * io_options.ready, with the init. */
int task_launch_stdio(struct task *task, const int *pipes,
		      void (*ready)(void *init, const struct err *why_not), struct err *err);

/* The same from what another program left in this process (upgrade.h). */
int task_launch_restore_stdio(struct task *task, const Upgrade__Io *saved, struct err *err);

/* The stdio of an executed process; strings are the process's. */
void task_launch_exec_options(struct process *process, struct io_options *ret);

/* What the backend is told of the container. */
void task_launch_fill(const struct task *task, struct backend_create *ret);

/* The container, created and watched; its stdio is open. On failure it may be there all the same,
 * for the caller to destroy. */
int task_launch_container(struct task *task, struct err *err);

/* The rest of that for one which a child of ours has made. console_fd: taken over, and set to -1.
 */
int task_launch_take(struct task *task, pid_t pid, int *console_fd, struct err *err);

/* Its program executes: the world is told. */
void task_launch_started(struct task *task);
/* It could not be executed: the container is killed, as after task_launch_start(). */
void task_launch_failed(struct task *task, const struct err *why);

/*
 * Executes its program. On failure the container is killed; its end is reported like any other,
 * with the exit status that stands for the failure (126, 127).
 */
int task_launch_start(struct task *task, struct err *err);

/* Writes the journal, which names the pipes that the process has, for who finds this shim dead. */
int task_launch_note(struct task *task, const Task__CreateRequest *request, struct err *err);

/* The same again, where the process has got other pipes meanwhile. */
int task_launch_note_pipes(struct task *task, struct err *err);

/* What a shell would say: 127 for no such program, 126 for one that cannot be executed. */
uint32_t task_launch_failure_code(const struct err *err);
