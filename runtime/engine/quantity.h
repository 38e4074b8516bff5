/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities as people write them on a command line: "64m", "0.5". */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* "64m" -> 67108864. Suffixes b, k, m, g, t (with or without "b" or "ib", any case) are powers of
 * 1024; fractions are allowed with a suffix ("1.5g"). -EINVAL, at least 1 byte. */
int quantity_parse_bytes(const char *text, int64_t *ret_bytes, struct err *err);

/* "0.5" -> 500. At least 0.01 and at most 100000 processors. */
int quantity_parse_cpus(const char *text, int64_t *ret_millicpu, struct err *err);

/* "64 MiB", "1.5 GiB", "12 B": at most 4 digits and the unit. Returns buf. */
#define QUANTITY_TEXT_SIZE 24
char *quantity_format_bytes(uint64_t bytes, char buf[static QUANTITY_TEXT_SIZE]);
