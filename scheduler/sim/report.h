/* SPDX-License-Identifier: Apache-2.0 */
/* What a run gave, as a table for a person and as JSON for a program. */
#pragma once

#include "scheduler/sim/run.h"

void report_table(const struct run_result *result, FILE *out);
/* One object, NUL-terminated and owned by the caller; NULL when out of memory. */
char *report_json(const struct run_result *result);
