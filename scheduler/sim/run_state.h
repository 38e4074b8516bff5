/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a run, and how it is taken up again from its bytes; for run.c and run_state.c. */
#pragma once

#include "scheduler/sim/endings.h"
#include "scheduler/sim/meter.h"
#include "scheduler/sim/run.h"

struct run {
	const struct trace *trace;
	const struct run_options *options;
	struct outside outside;
	struct cell *cell;
	uint32_t *trace_job; /* by job of the core */
	uint32_t *left;	     /* by job of the trace: tasks that have not ended */
	uint32_t *starts;    /* by task of the trace */
	size_t job_size;
	struct endings endings;
	struct meter waits_ms, decisions_ns;
	struct run_result result;
	double peak;
	size_t job;		  /* of the trace: the next to come */
	size_t lines, differs_at; /* of the log of events */
	size_t fault;		  /* the next of the script */
	bool out_of_memory;
};

/* Submits the trace's j-th job. */
int run_submit(struct run *run, uint32_t j, uint32_t *ret, struct err *err);

/* Fills a run that is set up but for its cell. -EINVAL: no such state, or of another trace. */
int run_load(struct run *run, const char *bytes, size_t len, struct err *err);
