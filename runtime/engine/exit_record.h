/* SPDX-License-Identifier: Apache-2.0 */
/* exit.json, which the shim writes into a container's folder when its init has ended. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct exit_record {
	int code; /* 128 + signal for a killed one; -1: nobody saw it */
	bool oom_killed;
	int64_t exited_ns;
};

/* 1 when there is one, 0 when not yet. */
int exit_record_load(int dirfd, struct exit_record *ret, struct err *err);
