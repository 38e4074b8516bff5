/* SPDX-License-Identifier: Apache-2.0 */
/* The few forms in which the kernel writes statistics. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "123", or "max" and the largest number of v1 (no limit): UINT64_MAX. False when neither. */
bool stat_text_number(const char *text, uint64_t *ret);

/* The number behind a key: "oom 0\noom_kill 3\n". False when there is no such line. */
bool stat_text_find(const char *text, const char *key, uint64_t *ret);

/* io.stat: "8:0 rbytes=1 wbytes=2 rios=1 ...". Sums over the devices. */
void stat_text_io_v2(const char *text, uint64_t *ret_read, uint64_t *ret_write);

/* blkio.throttle.io_service_bytes: "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n". */
void stat_text_io_v1(const char *text, uint64_t *ret_read, uint64_t *ret_write);
