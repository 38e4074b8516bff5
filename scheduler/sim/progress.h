/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr, redrawn when it moves. The caller knows whether that is a terminal. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void progress_show(size_t done, size_t all, int64_t now_ms);
void progress_done(void);
