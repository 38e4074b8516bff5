/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as people write them on a command line. What is made lives in the arena. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_limits.h"

/* "nofile=1024", "nofile=1024:4096", "core=-1"; "unlimited" is -1. */
int limit_parse_ulimit(const char *text, struct oci_rlimit *ret, struct err *err);

/* "/dev/sda:1m", "/dev/sda:1000", "/dev/sda:500" for rates in bytes, in operations, and weights. */
int limit_parse_block(const char *text, int kind, struct arena *arena,
		      struct engine_block_limit *ret, struct err *err);

/* "nofile", or NULL for a limit that Docker has no word for. buf is filled. */
#define LIMIT_NAME_SIZE 32
const char *limit_ulimit_name(int type, char buf[static LIMIT_NAME_SIZE]);
