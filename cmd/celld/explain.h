/* SPDX-License-Identifier: Apache-2.0 */
/* Why a task of a cell is pending, for a person. */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "scheduler/core/cell.h"

/* task: JOB/INDEX, or JOB for the first of its tasks that is pending. Prints what `why` finds, or
 * where the task runs. */
int explain(struct cell *cell, const char *task, FILE *out, struct err *err);
