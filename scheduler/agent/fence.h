/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence of a single instance: a deadline in its shim, which ends it when nobody has put the
 * deadline off. It is put off by answers of the master, and counts from when the report was sent
 * that the answer is to; so the master, which got that report later, knows when it is over at the
 * latest. Nothing starts after its deadline.
 */
#pragma once

#include "scheduler/agent/box.h"

/* CLOCK_BOOTTIME: goes on while the machine is suspended. */
int64_t fence_now_ns(void);

/* The box may run until then. Its shim is told when that is worth it. */
void fence_put_off(struct box *box, int64_t until_ns);

/* To the shim of a container that was not started yet. -ETIME when it is too late. */
int fence_set(const struct box *box, const char *id, struct shim_client *client, struct err *err);

/* Is it the fence that has ended it? */
bool fence_has_ended(const struct box *box);
