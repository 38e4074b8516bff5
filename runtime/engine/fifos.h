/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FIFOs between an attached ctr and a shim: RUNROOT/.engine/io/ID/NAME.{in,out,err}, opened
 * here before the shim opens its ends, so that neither side waits for the other. Those of a ctr
 * that is killed are removed by the shim (runtime/shim/fifo_sweep.h), but for "init".
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "runtime/engine/engine.h"

struct fifos_options {
	const char *runroot, *id; /* of the container */
	const char *name;	  /* of the process: "init", or an exec's id */
	bool want_stdin, want_stdout, want_stderr;
};

/* Makes and opens; the caller closes by engine_stdio_close(). On failure nothing is left. */
int fifos_make(const struct fifos_options *options, struct engine_stdio *ret, struct err *err);

/* Closes our ends; the FIFOs stay, until engine_release(). */
void fifos_leave(struct engine_stdio *io);
