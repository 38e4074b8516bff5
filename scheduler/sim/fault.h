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
	size_t line, column; /* of the name, in the script */
};

struct fault_script {
	struct fault *faults; /* by time; those of one time as written */
	size_t count;
	char *text;
	const char *file;
};

/* Names are not looked up. */
int fault_parse(const char *file, char *text, struct fault_script *ret, struct err *err);
int fault_read(const char *path, struct fault_script *ret, struct err *err);
void fault_deinit(struct fault_script *script);

/* Has the cell all machines and racks that are named? -ENOENT with the place of the first that it
 * has not. Left unchecked, what a cell does not have is left alone. */
int fault_check(const struct fault_script *script, const struct cell *cell, struct err *err);

/* Applies those that are due; *at is the next one. Returns how many machines changed. */
size_t fault_apply(const struct fault_script *script, size_t *at, struct cell *cell,
		   int64_t now_ms);
