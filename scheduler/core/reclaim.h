/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservation and reclamation. A task's reservation equals its limit for 300 s; then each report of
 * its usage lets it decay towards usage and a quarter, and one of more raises it at once.
 * Production is placed by limits, the rest by reservations. Where a rise leaves a machine
 * overcommitted, whoever uses more memory than its limit goes first, then the lowest that are not
 * production.
 */
#pragma once

#include "scheduler/core/cell.h"

#define RECLAIM_AFTER_MS 300000
#define RECLAIM_DECAY_MS 600000 /* from limit to target, were it reported only then */

/* What the task uses now; of one that does not run the report is dropped. */
void cell_report_usage(struct cell *cell, uint32_t task, int64_t cpu_milli, int64_t memory_bytes);

/* A running task makes way for what its machine no longer holds, with the notice that is its own.
 */
void reclaim_evict(struct cell *cell, uint32_t victim);
