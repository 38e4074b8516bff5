/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synthetic cells for measuring decisions: machines of four shapes in racks with attributes,
 * classes of tasks drawn independently of each other, with bands and constraints; departures hold
 * the cell at a given part full.
 */
#pragma once

#include "scheduler/core/cell.h"

struct bench_options {
	enum policy policy;
	uint64_t seed;
	uint32_t machines, classes, owners;
	uint64_t tasks;	    /* from scratch: so many, and no departures; 0: steady state */
	uint64_t decisions; /* of the steady state, after it was filled */
	double full;	    /* of CPU, 0 to 1 */
	double constrained; /* part of the classes that have constraints */
};

struct bench_result {
	uint64_t decisions, placed, infeasible, preempted, running, pending;
	double wall_seconds, cpu_seconds; /* of the measured part, departures included */
	double decision_p50_us, decision_p99_us;
	double fill_wall_seconds, fill_cpu_seconds;
	double utilisation_cpu, utilisation_memory;
};

int bench_run(const struct bench_options *options, struct bench_result *ret, struct err *err);
