/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of a run as SVG: use of CPU and memory over time, and the cell at its fullest, a column
 * a machine. A zeroed one is empty. */
#pragma once

#include "scheduler/core/cell.h"

struct chart {
	struct chart_point {
		int64_t at_ms;
		float cpu, memory;
	} * points;
	size_t count, size;
	struct chart_machine {
		float cpu, memory;
	} * machines;
	size_t machine_count;
	double fullest;
	int64_t fullest_ms;
	bool out_of_memory;
};

/* For run_options.watch; data is the chart. */
void chart_watch(void *data, struct cell *cell, int64_t now_ms);
int chart_write(const struct chart *chart, const char *path, struct err *err);
void chart_deinit(struct chart *chart);
