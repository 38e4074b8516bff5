/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner's deadline, the fence of a cell's task: unless it is renewed before, the shim kills the
 * container, or freezes it, by itself. Time in which the machine is suspended counts
 * (CLOCK_BOOTTIME).
 *
 * It stands in the journal before it is confirmed. A shim that adopts the container keeps to it,
 * and acts at once when it has passed meanwhile, or when the machine was booted since. While no
 * shim lives nobody acts.
 *
 * At expiry what runs is killed or frozen as asked for; killed, too, where freezing fails. What was
 * not started yet, and what waits for its restart, is ended in either case.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "runtime/shim/journal.pb-c.h"
#include "runtime/shim/task.h"

struct deadline;

/* in_ns 0: none any more. */
int deadline_set(struct task *task, int64_t in_ns, bool pauses, struct err *err);

/* What is to be restored from a checkpoint may not be started any more, unless it gets a later one.
 * Of all else a deadline that has passed is forgotten. */
bool deadline_has_passed(const struct task *task);

/* Takes NULL, returns NULL. What the journal has stays there. */
struct deadline *deadline_free(struct deadline *deadline);

/* To and from the journal; load only takes it over, resume lets it begin. */
void deadline_save(const struct task *task, Journal__State *state);
void deadline_load(struct task *task, const Journal__State *state);
void deadline_resume(struct task *task);
