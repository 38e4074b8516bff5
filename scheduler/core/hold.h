/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Best-effort batch jobs that the cell cannot take yet: they stand aside (as if behind a timer that
 * never rings) until all that is let in, running or pending, asks for no more than a share of the
 * cell. A job is let in whole. The highest priority goes first, then who came first; a smaller one
 * may pass one that does not fit. When no such job runs, the first goes in whatever its size, one a
 * pass, so that none waits for ever.
 */
#pragma once

#include "scheduler/core/state.h"

/* The job has just been made: is it to be held back? */
bool hold_job(struct cell *cell, uint32_t job);
/* Does nothing of the band run, so that the first goes in? */
bool hold_is_idle(const struct cell *cell);
/* Lets in what fits now. */
void hold_release(struct cell *cell);
/* The job is over, or goes. */
void hold_forget(struct cell *cell, uint32_t job);
