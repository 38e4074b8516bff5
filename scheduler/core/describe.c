/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/describe.h"

#include <errno.h>
#include <string.h>

#include "scheduler/core/state.h"

/* NULL for no symbol. */
static const char *name_of(const struct cell *cell, uint32_t symbol)
{
	return symbol ? symbol_name(&cell->symbols, symbol) : NULL;
}

static int copy_constraints(const struct cell *cell, const struct class *class, struct arena *arena,
			    struct job *ret)
{
	struct constraint *list = arena_calloc(arena, class->constraint_count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < class->constraint_count; i++) {
		const struct class_constraint *c = &class->constraints[i];

		list[i] = (struct constraint){ .key = name_of(cell, c->key),
					       .value = name_of(cell, c->value),
					       .comparison = (enum comparison)c->comparison,
					       .soft = c->soft };
	}
	ret->constraints = list;
	ret->constraint_count = class->constraint_count;
	return 0;
}

static struct spread_rule rule_of(const struct cell *cell, const struct class *class, int i)
{
	const struct group *group;

	if (class->groups[i] == NONE)
		return (struct spread_rule){ 0 };
	group = &cell->groups[class->groups[i]];
	return (struct spread_rule){ .kind = group->kind,
				     .domain = group->domain,
				     .group = name_of(cell, group->name),
				     .most = group->most,
				     .division =
					     group->kind == SPREAD_DIVIDED ? class->division : 0,
				     .soft = group->soft };
}

static int list_overrides(const struct cell *cell, uint32_t job, struct arena *arena,
			  struct job *ret)
{
	const struct cell_job *j = &cell->jobs[job];
	struct task_override *list = arena_calloc(arena, j->count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (uint32_t t = j->tasks; t != NONE; t = cell->tasks[t].next_in_job) {
		const struct request *request = &cell->classes[cell->tasks[t].class].request;

		if (memcmp(request, &ret->request, sizeof(*request)) != 0)
			list[ret->override_count++] =
				(struct task_override){ cell->tasks[t].index, *request };
	}
	ret->overrides = list;
	return 0;
}

/* An alloc that has gone is as it was when it went; of other jobs the first one tells. */
static uint32_t first_alive(const struct cell *cell, const struct cell_job *j)
{
	uint32_t t = j->tasks;

	while (j->reserves && t != NONE && cell->tasks[t].state == TASK_ENDED)
		t = cell->tasks[t].next_in_job;
	return t == NONE ? j->tasks : t;
}

int describe_job(const struct cell *cell, uint32_t job, struct arena *arena, struct job *ret)
{
	const struct cell_job *j = &cell->jobs[job];
	const struct class *class = &cell->classes[cell->tasks[first_alive(cell, j)].class];
	int r;

	*ret = (struct job){
		.name = name_of(cell, j->name),
		.owner = name_of(cell, j->owner),
		.priority = j->priority,
		.latency_sensitive = j->latency_sensitive,
		/* All of a set's are alike, whichever of them have gone. */
		.count = j->reserves ? j->alive : j->count,
		.request = class->request,
		.host_ports = class->ports,
		.host_port_count = class->port_count,
		.image = name_of(cell, class->image),
		.spread = rule_of(cell, class, 0),
		.affinity = rule_of(cell, class, 1),
		.disruption_budget = j->budget,
		.on_preemption = (enum on_preemption)j->on_preemption,
		.notice_ms = j->notice_ms,
		.restart = { (enum restart)j->restart, j->restart_most, j->backoff_ms,
			     j->backoff_max_ms },
		.gang = j->gang && !j->reserves,
		.reserves = j->reserves,
		.alloc_set = name_of(cell, j->set),
	};
	r = copy_constraints(cell, class, arena, ret);
	return r == 0 && !j->reserves ? list_overrides(cell, job, arena, ret) : r;
}
