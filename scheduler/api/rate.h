/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often somebody may ask: each caller has a bucket of 1,000 requests that fills by 500 a
 * second. Whoever has not asked for longest gives way when there are more callers than buckets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RATE_BUCKETS 256
#define RATE_BURST 1000
#define RATE_PER_S 500

struct rate {
	struct rate_bucket {
		uint64_t who;
		int64_t milli; /* requests left, in thousandths */
		int64_t at_ns;
	} buckets[RATE_BUCKETS];
};

/* May `who` (a hash of its name) ask now? Takes one from its bucket if so. */
bool rate_take(struct rate *rate, uint64_t who, int64_t now_ns);
