/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of JSON for every change that somebody asked for, also for those that were refused: who,
 * what, when, with what result. In a file of its own beside the store (STORE.audit), which is
 * rotated: .1 is the one before, up to .5.
 */
#pragma once

#include "base/err.h"
#include "scheduler/master/caller.h"

struct audit;

/* path: copied. NULL when out of memory. */
struct audit *audit_new(const char *path);
struct audit *audit_free(struct audit *audit);

/* r: of the change, err: its sentence where r < 0. What cannot be written is logged. */
void audit_write(struct audit *audit, const struct caller *caller, int r, const struct err *err,
		 const char *what);
