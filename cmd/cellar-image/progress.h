/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on stderr, where that is a terminal; nothing otherwise. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown, enabled;
	int64_t last_ns;
};

void progress_start(struct progress *p);
void progress_show(void *progress, uint64_t done_bytes, uint64_t total_bytes);
void progress_end(struct progress *p); /* wipes the line */
