/* SPDX-License-Identifier: Apache-2.0 */
/* What `why` found, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "scheduler/core/state.h"
#include "scheduler/core/why.h"

#define MIB ((int64_t)1 << 20)

static const char *const spread_names[] = { "", "affinity", "spread", "division" };

static int format_amount(const struct cell *cell, uint32_t task, const struct change *change,
			 char *text, size_t size)
{
	static const char *const units[RESOURCE_COUNT] = { "millicores of CPU", "MiB of memory",
							   "MiB of disk", "ports" };
	const struct task *t = &cell->tasks[task];
	const struct request *request = &cell->classes[t->class].request;
	bool bytes = change->resource == RESOURCE_MEMORY || change->resource == RESOURCE_DISK;
	int64_t unit = bytes ? MIB : 1;

	if (cell->jobs[t->job].gang)
		return snprintf(text, size, "it would start with at most %" PRId64 " %s a task",
				change->amount / unit, units[change->resource]);
	return snprintf(text, size, "it would run with %" PRId64 " instead of %" PRId64 " %s",
			change->amount / unit, request->amounts.of[change->resource] / unit,
			units[change->resource]);
}

int why_format_change(const struct cell *cell, uint32_t task, const struct change *change,
		      char *text, size_t size)
{
	const struct request *request = &cell->classes[cell->tasks[task].class].request;

	switch (change->kind) {
	case CHANGE_NOT_NEEDED:
		return snprintf(text, size, "it fits, and waits for its turn");
	case CHANGE_AMOUNT:
		return format_amount(cell, task, change, text, size);
	case CHANGE_DEVICES:
		return snprintf(text, size, "it would run with %" PRId64 " instead of %d %s",
				change->amount,
				request->device_count == 1 ? request->device_milli
							   : request->device_count,
				request->device_count == 1 ? "thousandths of a device" : "devices");
	case CHANGE_CONSTRAINT:
		return snprintf(text, size, "it would run without its constraint on %s",
				change->key);
	case CHANGE_SPREAD:
		return snprintf(text, size, "it would run without its %s rule over each %s",
				spread_names[change->spread], change->key);
	case CHANGE_PORT:
		return snprintf(text, size, "it would run without port %" PRId64 " of the machine",
				change->amount);
	case CHANGE_COUNT:
		return snprintf(text, size, "it would start with %" PRId64 " instead of %u tasks",
				change->amount, cell->jobs[cell->tasks[task].job].count);
	case CHANGE_PRIORITY:
		return snprintf(text, size, "it would run with priority %" PRId64 " instead of %u",
				change->amount, cell->classes[cell->tasks[task].class].priority);
	default:
		return snprintf(text, size,
				"no single change of the task helps: the cell needs a machine with "
				"room");
	}
}

/* ---- all of it ---- */

struct lines {
	char *text;
	size_t at;
};

__attribute__((format(printf, 2, 3))) static void add(struct lines *l, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(l->text + l->at, WHY_TEXT_SIZE - l->at, fmt, args);
	va_end(args);
	if (len > 0)
		l->at += (size_t)len < WHY_TEXT_SIZE - l->at ? (size_t)len
							     : WHY_TEXT_SIZE - l->at - 1;
}

static void add_wait(struct lines *l, const struct why *why)
{
	switch (why->wait) {
	case WAIT_ROOM:
		add(l, "  it waits for room; %u tasks come before it\n", why->ahead);
		break;
	case WAIT_BACKOFF:
		add(l, "  it ended badly or lost its machine, and is tried again at %.3f s\n",
		    (double)why->until_ms / 1000);
		break;
	case WAIT_AFTER:
		add(l, "  %u jobs that it starts after are not over\n", why->jobs);
		break;
	case WAIT_HELD:
		add(l, "  best-effort batch is held back until the cell can take the job\n");
		break;
	case WAIT_ALLOC:
		add(l, "  the alloc that it runs in has no place now\n");
		break;
	}
}

static void add_reasons(struct lines *l, const struct class *class, const struct cell *cell,
			const struct why *why)
{
	static const char *const reasons[FIT_COUNT] = {
		[FIT_YES] = "have room",
		[FIT_STATE] = "are down, draining or cordoned",
		[FIT_CONSTRAINT] = "do not meet its constraints",
		[FIT_MODEL] = "have no device of that model",
		[FIT_CAPACITY] = "are too small even when empty",
		[FIT_SPREAD] = "are ruled out by spread or affinity",
		[FIT_CPU] = "have too little CPU free",
		[FIT_MEMORY] = "have too little memory free",
		[FIT_DISK] = "have too little disk free",
		[FIT_PORTS] = "have not the ports free",
		[FIT_DEVICES] = "have not the devices free",
		[FIT_NODES] = "have too little free on one NUMA node",
		[FIT_CLAIMED] = "are kept for a task that has waited too long",
	};

	add(l, "  of %u %s:\n", why->machines, class->set ? "allocs of its set" : "machines");
	for (int r = 0; r < FIT_COUNT; r++)
		if (why->by_reason[r])
			add(l, "  %8u %s\n", why->by_reason[r], reasons[r]);
	for (size_t i = 0; i < class->constraint_count && i < WHY_CONSTRAINTS_MAX; i++)
		if (why->by_constraint[i] && !class->constraints[i].soft)
			add(l, "  %8u fail its constraint on %s\n", why->by_constraint[i],
			    symbol_name(&cell->symbols, class->constraints[i].key));
	if (why->kept)
		add(l, "  %8u kept for it, as it has waited so long, until what runs there ends\n",
		    why->kept);
	if (why->held)
		add(l, "  %8u are big enough, and held by what it may not displace\n", why->held);
	if (why->budget)
		add(l, "  %8u hold lower tasks that a disruption budget or a rule protects\n",
		    why->budget);
}

void why_format(const struct cell *cell, uint32_t task, const struct why *why,
		char text[static WHY_TEXT_SIZE])
{
	const struct task *t = &cell->tasks[task];
	const struct class *class = &cell->classes[t->class];
	struct lines l = { .text = text };
	char change[200];

	add(&l, "%s/%u is pending since %.3f s, at priority %u%s\n",
	    symbol_name(&cell->symbols, cell->jobs[t->job].name), t->index,
	    (double)t->since_ms / 1000, class->priority,
	    why->gang ? ", and starts with all of its job or not at all" : "");
	add_wait(&l, why);
	add_reasons(&l, class, cell, why);
	why_format_change(cell, task, &why->change, change, sizeof(change));
	add(&l, "  %s\n", change);
}
