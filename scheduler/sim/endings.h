/* SPDX-License-Identifier: Apache-2.0 */
/* Which running task of a trace is over next: a heap by time. A zeroed one is empty. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ending {
	int64_t at_ms;
	uint32_t task, trace_task, start; /* of the core; of the trace; how often it had started */
	uint32_t unused;		  /* no padding: endings are saved as bytes */
};

struct endings {
	struct ending *heap;
	size_t count, size;
};

/* 0 or -ENOMEM. */
int endings_push(struct endings *endings, struct ending ending);
/* There must be one. */
struct ending endings_pop(struct endings *endings);
void endings_deinit(struct endings *endings);

static inline int64_t endings_next_ms(const struct endings *endings)
{
	return endings->count ? endings->heap[0].at_ms : INT64_MAX;
}
