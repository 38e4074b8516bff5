/* SPDX-License-Identifier: Apache-2.0 */
/* What `ctr events` shows of a container of ctr; of others nothing. (events.h is containerd's.) */
#pragma once

#include <stdint.h>

struct process;
struct task;

/* One attribute, or NULL for none. */
void task_tell(const struct task *task, const char *action, const char *key, const char *value);

/* An executed process has started, or ended. */
void task_tell_exec(const struct process *process, const char *action);

/* The init has ended. */
void task_tell_end(const struct task *task);
