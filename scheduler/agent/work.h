/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes its time, in a child of the agent: starting a container, ending one. The child says in
 * one line what went wrong, if anything did, and the loop goes on meanwhile.
 */
#pragma once

#include "base/err.h"

struct loop;
struct work;

/* In the child, which dies with us; what it returns is told to work_done_fn. It may block. */
typedef int (*work_fn)(void *data, struct err *err);
/* In the agent. err is unset when all went well. The work is gone. */
typedef void (*work_done_fn)(void *data, const struct err *err);

int work_start(struct loop *loop, work_fn fn, work_done_fn done, void *data, struct work **ret,
	       struct err *err);
/* Kills the child and waits for its end: nobody is told. Takes NULL, returns NULL. */
struct work *work_cancel(struct work *work);
