/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's health: looked at again and again while it runs, by the check it was created with.
 *
 *	starting -> healthy <-> unhealthy
 *	        \------------^
 *
 * A look that succeeds makes it healthy; `retries` failures in a row make it unhealthy, of which
 * those do not count that begin within start_period of a start that has not been healthy yet. There
 * is one look at a time, and none while the container is paused; one that takes too long is ended
 * and has failed. Each run of the container begins as starting.
 */
#pragma once

#include "base/err.h"
#include "runtime/shim/health_check.h"

struct health;
struct task;

/* Copies the check; NULL in *ret where it is none. */
int health_new(struct task *task, const struct shim_health *check, struct health **ret,
	       struct err *err);
struct health *health_free(struct health *health);

/* The init runs from now on; runs, and is adopted; has ended. All take a task without health. */
void health_start(struct task *task);
void health_resume(struct task *task);
void health_stop(struct task *task);
