/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim holds for a container's network: its published ports, and its name server. */
#pragma once

#include "runtime/shim/task.h"

struct ports_saved;

/* By the files of the bundle; nothing for containerd's containers, which have none. For a new task
 * and for one that was adopted. saved: ports_open()'s. On failure what is open already closes with
 * the task. */
int task_open_network(struct task *task, const struct ports_saved *saved, struct err *err);
void task_close_network(struct task *task);
