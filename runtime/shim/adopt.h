/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking over a container whose shim was killed. It runs on meanwhile: its pipes are whole, because
 * its own ends read and write (io.h).
 *
 * Theory of operation. The bundle's journal tells what was asked for; the runtime's state tells who
 * the init is; its pipes are found among its descriptors; the log goes on behind the last byte the
 * dead shim wrote (spool.h). The init is no child of ours: a pidfd tells of its end, and with
 * PIDFD_INFO_EXIT (Linux 6.15) of its status, else that is unknown. What was executed in it beside
 * the init is no longer known. A terminal hung up when its master died: such a container is ended.
 */
#pragma once

#include "runtime/shim/task.h"

struct adopted;

/* The container of the bundle becomes a task of the shim. One that ended meanwhile ends here, or is
 * restarted. -ENOENT when there is nothing to adopt. */
int adopt_task(struct shim *shim, const char *bundle, struct err *err);

struct adopted *adopted_free(struct adopted *adopted);
