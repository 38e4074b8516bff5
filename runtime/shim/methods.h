/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods of the Task API. Each answers the call, or keeps it to be answered later, and returns
 * TTRPC_OK; or leaves it alone and returns a code with err set.
 */
#pragma once

#include "runtime/shim/shim.h"

typedef enum ttrpc_code (*method_fn)(struct shim *shim, struct rpc_call *call, const void *request,
				     struct err *err);

enum ttrpc_code method_create(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_start(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_delete(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_exec(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_kill(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_pause(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_resume(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_resize(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_close_io(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_wait(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_state(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_pids(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_stats(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_checkpoint(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_update(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_connect(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_shutdown(struct shim *, struct rpc_call *, const void *, struct err *);

/* Of what is being created: undone where nobody waits for it any more; and undone for a Delete,
 * which call is then answered. TTRPC_NOT_FOUND: nothing of that id is being created. */
void create_drop_abandoned(struct shim *shim);
enum ttrpc_code create_cancel(struct shim *shim, const char *id, struct rpc_call *call,
			      struct err *err);

/* A Start that is under way fails; why: "container ID WHY". */
void start_cancel(struct task *task, const char *why);

/* Of cellar.shim.v1.Supervisor. */
enum ttrpc_code method_attach(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_restart(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_deadline(struct shim *, struct rpc_call *, const void *, struct err *);
enum ttrpc_code method_upgrade(struct shim *, struct rpc_call *, const void *, struct err *);

/* server_ops.request of a shim: finds the method and calls it. */
void methods_dispatch(void *shim, struct rpc_call *call, const Ttrpc__Request *request);
