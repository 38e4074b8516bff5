/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Best-effort batch jobs that the cell cannot take yet: they stand aside (as if behind a timer that
 * never rings) until all that is let in, running or pending, asks for no more than a share of the
 * cell. A job is let in whole. The highest priority goes first, then who came first; a smaller one
 * may pass one that does not fit. When no other is in, the first goes in whatever its size, so that
 * none waits for ever.
 */
#pragma once

#include "scheduler/core/state.h"

/* The job has just been made: is it to be held back? */
bool hold_job(struct cell *cell, uint32_t job);
/* Lets in what fits now. */
void hold_release(struct cell *cell);
/* The job is over, or goes. */
void hold_forget(struct cell *cell, uint32_t job);
