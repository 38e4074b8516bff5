/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells when a process of a container was killed for want of memory, also one that is not its init,
 * at once and without looking again and again (cgroups/cgroup_oom.h): the event TaskOOM once for
 * every rise of the count, and task->oom_killed from then on.
 */
#pragma once

#include "runtime/shim/task.h"

struct oom_watch;

/* told: kills that were told of already. Where it cannot be had, the end of the init tells. */
void oom_watch(struct task *task, uint64_t told);
struct oom_watch *oom_unwatch(struct oom_watch *watch); /* takes NULL, returns NULL */

/* Looks now: before the container's cgroup goes. */
void oom_check(struct task *task);
