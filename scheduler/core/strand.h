/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strand-aware score: how much of what a machine has free the present workload cannot use.
 *
 * For each request k of the workload (demand.h), with its chance p_k: fill what is free with copies
 * of k. The rest is stranded for k; where not one copy fits, all of it is. The score is the mean of
 * two views, "filled with k, what remains" and "can k use it at all", in prices of the resources:
 *
 *	stranded = v - 1/2 sum over k of p_k (copies_k v_k + [copies_k >= 1] v)
 *
 * A placement costs stranded after less stranded before; the cheapest wins. For countable devices
 * the second view is the fragmentation gradient of Weng et al. (ATC'23): only devices with enough
 * left for k count as usable.
 */
#pragma once

#include "scheduler/core/fit.h"

/* Counts it anew, for strand_of. */
void strand_count(const struct cell *cell, uint32_t machine);
/* Of what the machine has free now; remembered until that or the demand changes. */
static inline float strand_of(const struct cell *cell, uint32_t machine)
{
	if (cell->machines[machine].strand_epoch != cell->demand.epoch)
		strand_count(cell, machine);
	return cell->machines[machine].strand;
}
/* As it would be after the placement. */
float strand_after(const struct cell *cell, uint32_t machine, const struct request *request,
		   const struct grip *grip);

/* CPU and memory that lie free and stranded, expected over the workload. */
void strand_totals(const struct cell *cell, double *ret_cpu_milli, double *ret_memory_bytes);
