/* SPDX-License-Identifier: Apache-2.0 */
/* Time in nanoseconds, and its text form RFC 3339 (UTC, nine fractional digits). */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define CLOCK_RFC3339_SIZE 36

int64_t clock_realtime_ns(void);  /* since the epoch */
int64_t clock_monotonic_ns(void); /* for measuring and deadlines */

/* Writes "2026-11-22T16:14:49.123456789Z" and returns buf. */
char *clock_format(int64_t realtime_ns, char buf[static CLOCK_RFC3339_SIZE]);

/* Accepts what clock_format writes, any number of fractional digits, and zone offsets. */
int clock_parse(const char *text, int64_t *ret_realtime_ns, struct err *err);
