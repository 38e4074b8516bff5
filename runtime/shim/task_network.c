/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/task_network.h"

#include "runtime/shim/ports.h"
#include "runtime/shim/resolver.h"
#include "runtime/shim/shim.h"

int task_open_network(struct task *task, const struct ports_saved *saved, struct err *err)
{
	const struct shim_engine *engine = task->shim->options->engine;
	struct resolver_options o = {
		.loop = task->shim->loop,
		.bundle = task->bundle,
		.root = task->engine_root,
		.runroot = task->engine_runroot,
		.find = engine ? engine->resolve : NULL,
	};
	int r, q = 0;

	if (task->durable)
		return 0;
	/* The one does not depend on the other: who adopts does without what it cannot have. */
	r = ports_open(o.loop, task->bundle, saved, &task->ports, err);
	if (o.find && o.root && o.runroot)
		q = resolver_open(&o, &task->resolver, r < 0 ? NULL : err);
	return r < 0 ? r : q;
}

void task_close_network(struct task *task)
{
	task->ports = ports_close(task->ports);
	task->resolver = resolver_close(task->resolver);
}
