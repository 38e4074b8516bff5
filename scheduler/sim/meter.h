/* SPDX-License-Identifier: Apache-2.0 */
/* Counts durations or waits in buckets of 1/32 octave and tells their quantiles. Zeroed: empty. */
#pragma once

#include <stdint.h>

#define METER_BUCKETS (32 * 64)

struct meter {
	uint64_t buckets[METER_BUCKETS + 1]; /* [0]: nothing at all */
	uint64_t count;
};

void meter_add(struct meter *meter, int64_t value);
/* The value that this part of what was counted does not exceed; 0 when empty. */
double meter_quantile(const struct meter *meter, double part);
