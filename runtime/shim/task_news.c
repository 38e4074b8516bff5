/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/task_news.h"

#include <stdio.h>

#include "runtime/shim/shim.h"

static void tell(const struct task *task, const char *action, const char *const *attributes)
{
	const struct shim_engine *engine = task->shim->options->engine;

	if (engine && engine->tell && task->engine_root && task->engine_runroot)
		engine->tell(task->engine_root, task->engine_runroot, task->id, action, attributes);
}

void task_tell(const struct task *task, const char *action, const char *key, const char *value)
{
	const char *const attributes[] = { key, value, NULL };

	tell(task, action, attributes);
}

static const char *format_code(const struct process *p, char buf[static 16])
{
	if (p->exit_unknown)
		snprintf(buf, 16, "unknown");
	else
		snprintf(buf, 16, "%u", p->exit_code);
	return buf;
}

void task_tell_exec(const struct process *p, const char *action)
{
	char code[16];
	const char *const attributes[] = {
		"exec_id",
		p->exec_id,
		p->status == PROCESS_STOPPED ? "exit_code" : NULL,
		format_code(p, code),
		NULL,
	};

	tell(p->task, action, attributes);
}

void task_tell_end(const struct task *task)
{
	char code[16];

	task_tell(task, "die", "exit_code", format_code(&task->init, code));
}
