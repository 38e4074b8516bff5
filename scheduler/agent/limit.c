/* SPDX-License-Identifier: Apache-2.0 */
/* Other limits for a task that runs. */
#include "base/log.h"
#include "scheduler/agent/inside.h"

void box_limit(struct box *box, int64_t cpu_milli, int64_t memory_bytes)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	struct engine_update_options options = { 0 };
	struct err err = { 0 };
	int r;

	if (cpu_milli && cpu_milli != box->cpu_milli)
		options.cpu_millicpu = cpu_milli;
	if (memory_bytes && memory_bytes != box->memory_bytes)
		options.memory_bytes = memory_bytes;
	if (box->state != BOX_RUNNING || (!options.cpu_millicpu && !options.memory_bytes))
		return;
	r = engine_find(box->agent->engine, box->container, &c, &err);
	if (r == 0)
		r = engine_update(box->agent->engine, c, &options, &err);
	if (r < 0) {
		log_warn("task %s: %s", box->task, err.text);
		return;
	}
	box->cpu_milli = cpu_milli ? cpu_milli : box->cpu_milli;
	box->memory_bytes = memory_bytes ? memory_bytes : box->memory_bytes;
}
