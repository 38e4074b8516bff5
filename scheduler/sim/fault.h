/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A script of faults, a line each: SECONDS machine|rack NAME down|up|drain|cordon. Blank lines and
 * those that begin with # are left out.
 */
#pragma once

#include <stddef.h>

#include "scheduler/core/cell.h"

struct fault {
	int64_t at_ms;
	bool rack;
	const char *name; /* in the script's own memory */
	enum machine_state state;
};

struct fault_script {
	struct fault *faults; /* by time; those of one time as written */
	size_t count;
	char *text;
};

/* Names are not looked up: what a run does not have is left alone. */
int fault_parse(const char *file, char *text, struct fault_script *ret, struct err *err);
int fault_read(const char *path, struct fault_script *ret, struct err *err);
void fault_deinit(struct fault_script *script);

/* Applies those that are due; *at is the next one. Returns how many machines changed. */
size_t fault_apply(const struct fault_script *script, size_t *at, struct cell *cell,
		   int64_t now_ms);
