/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run`: whose namespaces a container is in, and the groups of its user. */
#pragma once

#include "base/arena.h"
#include "cmd/options.h"
#include "runtime/engine/engine.h"

struct run_namespaces {
	const char *pid, *ipc, *uts, *userns, *cgroupns;
	struct options_list group_add;
};

extern const struct option_entry run_namespaces_table[];

int run_namespaces_fill(const struct run_namespaces *args, struct engine_run_options *ret,
			struct err *err);
