/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor is to do, as people write it. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_supervision.h"

/* "no", "on-failure", "on-failure:3", "always", "unless-stopped". -EINVAL. */
int supervision_parse_restart(const char *text, struct engine_supervision *ret, struct err *err);

/* The same back, in the arena; NULL for "no", and out of memory. */
const char *supervision_format_restart(const struct engine_supervision *supervision,
				       struct arena *arena);
