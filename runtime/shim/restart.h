/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restart of a container whose process has ended, by the policy it was created with:
 *
 *	runs -> ended -> waiting (restart.pending) -> runs ...
 *	              \-> over: reported, as without a policy
 *
 * While it waits there is no container below (state, cgroup and processes are gone), but the root
 * filesystem stays mounted, the network namespace, address, name, log and clients stay. Who waits
 * for it is not answered before it is over.
 *
 * The first wait is 100 ms, each later one is twice as long, up to a minute; a run of ten seconds
 * makes it 100 ms again.
 */
#pragma once

#include "runtime/shim/task.h"

/* Called when the init has ended. True: it is taken care of, and not over. */
bool restart_take(struct task *task);

/* No more restarts: a person asked for the end. One that waits is over at once. */
void restart_forbid(struct task *task);

/*
 * Ends its process by the signal, and by SIGKILL after that time, and runs it again at once, also
 * without a policy and after an end that a person asked for. Of one that runs or waits. The call is
 * answered when it runs, or that failed; NULL: nobody waits.
 */
void restart_now(struct task *task, int signal, int64_t timeout_ns, struct rpc_call *call);

/* The same without another run: as a person stops it. */
void restart_end(struct task *task, int signal, int64_t timeout_ns);

/* For one that is adopted: goes on waiting. */
void restart_resume(struct task *task);

/* Writes what others have to see of it, where there is anything to tell. */
void restart_save(const struct task *task);
int restart_try_save(const struct task *task, struct err *err); /* whether or not there is */
void restart_load(struct task *task);
