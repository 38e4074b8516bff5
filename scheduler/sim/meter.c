/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/meter.h"

#include <math.h>

void meter_add(struct meter *meter, int64_t value)
{
	unsigned octave, part = 0;

	meter->count++;
	if (value <= 0) {
		meter->buckets[0]++;
		return;
	}
	octave = 63 - (unsigned)__builtin_clzll((uint64_t)value);
	part = octave >= 5 ? (unsigned)(value >> (octave - 5)) & 31
			   : (unsigned)(value << (5 - octave)) & 31;
	meter->buckets[1 + octave * 32 + part]++;
}

double meter_quantile(const struct meter *meter, double part)
{
	double want = part * (double)meter->count, seen = 0;

	for (int i = 0; meter->count && i <= METER_BUCKETS; i++) {
		seen += (double)meter->buckets[i];
		if (seen >= want && meter->buckets[i])
			return i ? ldexp(1 + ((i - 1) % 32) / 32.0, (i - 1) / 32) : 0;
	}
	return 0;
}
