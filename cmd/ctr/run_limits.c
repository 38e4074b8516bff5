/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_limits.h"

#include <limits.h>
#include <string.h>

#include "runtime/engine/quantity.h"

/* clang-format off */
const struct option_entry run_limits_table[] = {
	OPTION_STRING(struct run_limits, memory, 'm', "memory", "SIZE", "limit of memory: 64m, 1.5g; with swap twice that"),
	OPTION_STRING(struct run_limits, cpus, 0, "cpus", "NUMBER", "limit of processors: 0.5, 2"),
	OPTION_INT(struct run_limits, pids_limit, 0, "pids-limit", -1, INT_MAX, "NUMBER", "limit of processes and threads (default 2048); -1: none"),
	OPTION_END,
};
/* clang-format on */

int run_limits_fill(const struct run_limits *args, struct engine_run_options *ret, struct err *err)
{
	/* Docker's 0 is no limit, everywhere. */
	if (args->memory && strcmp(args->memory, "0") != 0 &&
	    quantity_parse_bytes(args->memory, &ret->memory_bytes, err) < 0)
		return err_add(err, "--memory");
	if (args->cpus && strcmp(args->cpus, "0") != 0 &&
	    quantity_parse_cpus(args->cpus, &ret->cpu_millicpu, err) < 0)
		return err_add(err, "--cpus");
	if (args->pids_limit != RUN_PIDS_LIMIT_UNSET)
		ret->pids_limit = args->pids_limit > 0 ? args->pids_limit : -1;
	return 0;
}
