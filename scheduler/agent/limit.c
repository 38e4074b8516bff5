/* SPDX-License-Identifier: Apache-2.0 */
/* Other limits for a task that runs. */
#include "base/log.h"
#include "scheduler/agent/inside.h"

/* In a child: a shim that hangs keeps nobody else waiting. */
static int limit_work(void *data, struct err *err)
{
	const struct box *box = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	const struct engine_update_options options = {
		.cpu_millicpu = box->limit_cpu_milli,
		.memory_bytes = box->limit_memory_bytes,
	};

	err_try(engine_find(box->agent->engine, box->container, &c, err));
	return engine_update(box->agent->engine, c, &options, err);
}

/* What failed is tried again with the next answer. */
static void limit_done(void *data, const struct err *err)
{
	struct box *box = data;

	box->limit_work = NULL;
	if (err->code) {
		if (box->state == BOX_RUNNING)
			log_warn("task %s: %s", box->task, err->text);
		return;
	}
	if (box->limit_cpu_milli)
		box->cpu_milli = box->limit_cpu_milli;
	if (box->limit_memory_bytes)
		box->memory_bytes = box->limit_memory_bytes;
}

void box_limit(struct box *box, int64_t cpu_milli, int64_t memory_bytes)
{
	struct err err = { 0 };

	if (box->state != BOX_RUNNING || box->limit_work)
		return;
	box->limit_cpu_milli = cpu_milli != box->cpu_milli ? cpu_milli : 0;
	box->limit_memory_bytes = memory_bytes != box->memory_bytes ? memory_bytes : 0;
	if (!box->limit_cpu_milli && !box->limit_memory_bytes)
		return;
	if (work_start(box->agent->loop, limit_work, limit_done, box, &box->limit_work, &err) < 0)
		log_warn("task %s: %s", box->task, err.text);
}
