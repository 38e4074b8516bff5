/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as job files write them. All: 0, or -EINVAL; never negative. */
#pragma once

#include <stdint.h>

/* "100m" -> 100, "1.5" -> 1500: millicores, or thousandths of a device. */
int amount_parse_milli(const char *text, int64_t *ret);

/* "16Mi" -> 16777216; Ki, Mi, Gi, Ti are powers of 1024, k, M, G, T of 1000; a bare number is
 * bytes. */
int amount_parse_bytes(const char *text, int64_t *ret);

/* "500ms", "30s", "5m", "1h", "2d" -> milliseconds; the unit is needed, but for 0. */
int amount_parse_ms(const char *text, int64_t *ret);
