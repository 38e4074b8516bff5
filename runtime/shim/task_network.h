/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim holds for a container's network: its published ports, and its name server. */
#pragma once

#include "runtime/shim/task.h"

/* By the files of the bundle; nothing for containerd's containers, which have none. For a new task
 * and for one that was adopted. On failure what is open already closes with the task. */
int task_open_network(struct task *task, struct err *err);
void task_close_network(struct task *task);
