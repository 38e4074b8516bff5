/* SPDX-License-Identifier: Apache-2.0 */
/* Experiments that run a trace many times: the smallest cell, and Borg's cell compaction. */
#pragma once

#include "scheduler/sim/run.h"

/*
 * The smallest number of machines at which not more than refuse_limit tasks are refused, and at the
 * five numbers above it neither. make: gives the trace that many machines (NULL: its own, of which
 * the first N are taken). Fills ret from the run at that number.
 */
struct search {
	struct trace *trace;
	struct run_options options;
	int (*make)(void *data, struct trace *trace, size_t machines, struct err *err);
	void *make_data;
	size_t most; /* machines at most */
	bool progress;
};
int search_smallest(const struct search *search, struct run_result *ret, struct err *err);

/*
 * Verma et al., EuroSys'15, section 5.1: how few machines the workload can be squeezed onto. For
 * each of `orders` random orders of the machines and random samples of the jobs: the fewest at
 * which at most `pending` of the tasks find no place. ret: the run at the 90th percentile, with
 * its bound.
 */
struct compaction {
	const struct trace *trace;
	struct run_options options;
	double sample, pending;
	unsigned orders;
	bool progress;
};
int search_compaction(const struct compaction *compaction, struct run_result *ret, struct err *err);
