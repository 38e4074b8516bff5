/* SPDX-License-Identifier: Apache-2.0 */
/* How the kernel is to treat the program: CPUs, scheduler, I/O priority, memory nodes, personality.
 */
#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#define IOPRIO_WHO_PROCESS_ 1
#define IOPRIO_CLASS_SHIFT_ 13

static int set_scheduler(const struct plan *plan, struct err *err)
{
	const struct plan_scheduler *s = &plan->scheduler;
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = s->policy,
		.sched_flags = s->flags,
		.sched_nice = s->nice,
		.sched_priority = s->priority,
		.sched_runtime = s->runtime_ns,
		.sched_deadline = s->deadline_ns,
		.sched_period = s->period_ns,
	};

	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		return err_set(err, errno, "set process.scheduler");
	return 0;
}

static int set_cpus(const struct plan *plan, struct err *err)
{
	if (syscall(SYS_sched_setaffinity, 0, plan->cpus.count * sizeof(uint64_t),
		    plan_records(plan, plan->cpus)) < 0)
		return err_set(err, errno, "set process.execCPUAffinity.final");
	return 0;
}

static int set_memory_policy(const struct plan *plan, struct err *err)
{
	/* The kernel takes one bit less than the number says. */
	unsigned long bits = plan->memory_nodes.count * 64 + 1;
	const void *nodes =
		plan->memory_nodes.count ? plan_records(plan, plan->memory_nodes) : NULL;

	if (syscall(SYS_set_mempolicy, plan->memory_mode | plan->memory_flags, nodes,
		    nodes ? bits : 0) < 0)
		return err_set(err, errno, "set linux.memoryPolicy");
	return 0;
}

int scheduling_apply(struct init *in, struct err *err)
{
	const struct plan *plan = in->plan;

	if (plan->cpus.count && set_cpus(plan, err) < 0)
		return -err->code;
	if (plan->flags & PLAN_SCHEDULER && set_scheduler(plan, err) < 0)
		return -err->code;
	if (plan->flags & PLAN_IO_PRIORITY &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS_, 0,
		    plan->io_class << IOPRIO_CLASS_SHIFT_ | plan->io_priority) < 0)
		return err_set(err, errno, "set process.ioPriority");
	if (plan->flags & PLAN_MEMORY_POLICY && set_memory_policy(plan, err) < 0)
		return -err->code;
	if (plan->flags & PLAN_PERSONALITY && personality(plan->personality) < 0)
		return err_set(err, errno, "set linux.personality");
	return 0;
}
