/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a task's container holds below us is given back: processes, cgroup, state, mounts. With
 * hooks a child of the shim does it (task_work.h), since they may take long.
 *
 * Where that child is killed another one does it, which may run hooks a second time; where that is
 * killed too the shim itself does it, without hooks: it never waits for one.
 *
 * A container is lost when there may be one that we have no handle of: its maker died before it
 * could tell, or its state could not be read. It is looked for again whenever it is needed.
 */
#pragma once

#include "runtime/shim/task.h"
#include "runtime/shim/work.h"

/* The handle of a lost container; 0 also where there is none to be had. */
int task_find_lost(struct task *task, struct err *err);

/* A signal to its init, or to all its processes; -ESRCH where it has ended. Of a lost one the init
 * can be told all the same, as long as it is our child. */
int task_kill(struct task *task, int signal, bool all, struct err *err);

/* Kills what is left of the container and removes it, but for its root filesystem. */
int task_destroy_container(struct task *task, struct err *err);

/* The same with its root filesystem. The first error counts, the rest is tried; what is left is
 * tried again the next time. */
int task_destroy(struct task *task, struct err *err);

/*
 * The container by a child, where it has hooks or is lost: true when that has begun, and then
 * done() has to call one of the others, which stand for those above.
 */
bool task_destroy_elsewhere(struct task *task,
			    void (*done)(struct task *task, struct work_result *result));
int task_container_destroyed(struct task *task, const struct work_result *result, struct err *err);
int task_destroyed(struct task *task, const struct work_result *result, struct err *err);

/*
 * Of ctr's containers, for which nobody has to call Delete: all that it holds, and its exit file is
 * written. True: settled() is called when it is done.
 */
bool task_settle(struct task *task, void (*settled)(struct task *task));

/* The container goes as a whole, and the shim after it. */
void task_remove(struct task *task);
