/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a trace through a cell, in simulated time. */
#pragma once

#include <stdio.h>

#include "scheduler/core/cell.h"
#include "scheduler/sim/fault.h"
#include "scheduler/sim/trace.h"

struct run;

struct run_options {
	enum policy policy;
	uint64_t seed;
	/* What does not fit at once is turned away, and nobody is preempted; the run ends when more
	 * than this many were. Else tasks wait in the queue, and the number does not count. */
	bool refuse;
	uint64_t refuse_limit;
	const struct fault_script *faults; /* NULL: none */
	/* Every event as a line: written to the one, compared with the other; NULL. */
	FILE *record, *replay;
	bool progress; /* a bar on stderr */
	bool check;    /* the invariants after every step: slow */
	/* A state to go on from, as run_save wrote it of the same trace; the log of --replay is
	 * then read from the line on that comes next. NULL: from the start. */
	const char *from;
	size_t from_len;
	int64_t until_ms; /* stops before anything later; 0: at the end of the trace */
	/* Called at the end, while the state is there; 0 or the run's error. NULL. */
	int (*finished)(void *data, const struct run *run, struct err *err);
	void *finished_data;
	/* Called after each step that changed something; NULL. */
	void (*watch)(void *data, struct cell *cell, int64_t now_ms);
	void *watch_data;
};

struct run_result {
	enum policy policy;
	uint64_t seed, machines, lower_bound;
	uint64_t placed, refused, preempted, tasks;
	double pending_p50_s, pending_p99_s;
	/* At the moment of the highest use of CPU. */
	double utilisation_cpu, utilisation_memory, utilisation_devices;
	double stranded_cpu_milli, stranded_memory_mib;
	uint64_t decisions;
	double decision_seconds; /* spent in decisions alone */
	double decision_p99_us;
	double wall_seconds, cpu_seconds;
	bool stopped; /* at the limit of refusals */
};

/* machines: the first so many of the trace, or of `order` (indices into the trace's machines). */
int run_trace(const struct trace *trace, size_t machines, const uint32_t *order,
	      const struct run_options *options, struct run_result *ret, struct err *err);

/* The cell of a run that has come to its end. */
struct cell *run_cell(const struct run *run);

/* The whole state of a run as bytes, which the caller frees. */
int run_save(const struct run *run, char **ret_bytes, size_t *ret_len, struct err *err);
/* The cell alone, out of such bytes or of a checkpoint of a cell: a copy to look at. */
int run_load_cell(const char *bytes, size_t len, struct outside *outside, struct cell **ret,
		  struct err *err);

/* Fewest machines that could hold what is asked for at its peak, by totals alone: the first so
 * many of the trace's machines, or of the order, and more like them where those are too few. part:
 * of the peak. */
size_t run_lower_bound(const struct trace *trace, const struct trace_peak *peak,
		       const uint32_t *order, double part);
