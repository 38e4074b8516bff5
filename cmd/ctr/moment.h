/* SPDX-License-Identifier: Apache-2.0 */
/* A moment as people write it on a command line. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/*
 * "2026-11-22T16:14:49Z" (a zone, or local time without one), "2026-11-22", "1795364089[.5]"
 * (seconds since the epoch), or how long before now: "90s", "1h30m", "2d". -EINVAL.
 */
int moment_parse(const char *text, int64_t now_ns, int64_t *ret_ns, struct err *err);

/* "90s", "1h30m", "100ms", "1.5h". -EINVAL. */
int moment_parse_duration(const char *text, int64_t *ret_ns, struct err *err);
