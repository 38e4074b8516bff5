/* SPDX-License-Identifier: Apache-2.0 */
/* huawei: requests with rules on racks and NUMA nodes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sim/row.h"

/*
 * affinity: all of the group in one rack. anti-affinity: no two of the group on one machine.
 * fault_domain: tasks of different domains of the group never in one rack.
 */
static int huawei_rule(struct trace *trace, struct csv *csv, const char *strategy,
		       struct spread_rule *ret, struct err *err)
{
	const char *group;
	int64_t division = 0;

	if (!*strategy)
		return 0;
	err_try(row_text(csv, "group", &group, err));
	if (strcmp(strategy, "affinity") == 0) {
		*ret = (struct spread_rule){ .kind = SPREAD_TOGETHER, .domain = DOMAIN_RACK };
	} else if (strcmp(strategy, "anti-affinity") == 0) {
		*ret = (struct spread_rule){ .kind = SPREAD_APART, .domain = DOMAIN_MACHINE };
	} else if (strcmp(strategy, "fault_domain") == 0) {
		err_try(row_number(csv, "domain", 4095, &division, err));
		*ret = (struct spread_rule){ .kind = SPREAD_DIVIDED, .domain = DOMAIN_RACK };
	} else {
		return csv_bad(csv, csv_find(csv, "strategy"), err,
			       "'%.40s' is no strategy (affinity, anti-affinity, fault_domain)",
			       strategy);
	}
	ret->division = (uint32_t)division;
	ret->group = arena_printf(trace->arena, "%s-%s", strategy, group);
	return ret->group ? 0 : ROW_OUT_OF_MEMORY(err);
}

int huawei_task(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t cpu, memory, nodes;
	struct spread_rule rule = { 0 };
	const char *strategy;
	struct trace_task *task;
	struct trace_job *job;

	err_try(row_number(csv, "flavor_vcpus", AMOUNT_MAX / 1000, &cpu, err));
	err_try(row_number(csv, "flavor_ram", AMOUNT_MAX / ROW_GIB, &memory, err));
	err_try(row_number(csv, "numa", MACHINE_NODES_MAX, &nodes, err));
	err_try(row_text(csv, "strategy", &strategy, err));
	err_try(huawei_rule(trace, csv, strategy, &rule, err));
	task = row_new_task(trace, true);
	if (!task)
		return ROW_OUT_OF_MEMORY(err);
	job = &trace->jobs[task->job];
	job->name = arena_printf(trace->arena, "vm-%zu", csv_line(csv) - 1);
	job->owner = "huawei";
	job->priority = 200;
	job->spread = rule;
	task->request.amounts.of[RESOURCE_CPU] = cpu * 1000;
	task->request.amounts.of[RESOURCE_MEMORY] = memory * ROW_GIB;
	task->request.nodes = (uint32_t)nodes;
	return job->name ? 0 : ROW_OUT_OF_MEMORY(err);
}

int huawei_machine(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t cpu[2], memory[2];
	struct machine_spec *m;

	err_try(row_number(csv, "CPU1", AMOUNT_MAX / 4000, &cpu[0], err));
	err_try(row_number(csv, "RAM1", AMOUNT_MAX / 4 / ROW_GIB, &memory[0], err));
	err_try(row_number(csv, "CPU2", AMOUNT_MAX / 4000, &cpu[1], err));
	err_try(row_number(csv, "RAM2", AMOUNT_MAX / 4 / ROW_GIB, &memory[1], err));
	m = trace_add_machine(trace);
	if (!m)
		return ROW_OUT_OF_MEMORY(err);
	m->name = arena_printf(trace->arena, "host-%zu", trace->machine_count - 1);
	m->capacity =
		(struct amounts){ { (cpu[0] + cpu[1]) * 1000, (memory[0] + memory[1]) * ROW_GIB,
				    ROW_DISK, ROW_PORTS } };
	m->node_count = 2;
	for (int n = 0; n < 2; n++)
		m->node[n] = (struct amounts){ { cpu[n] * 1000, memory[n] * ROW_GIB } };
	return m->name ? 0 : ROW_OUT_OF_MEMORY(err);
}

int trace_read_racks(struct trace *trace, const char *path, struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = csv_open(path, &csv, err);

	while (r >= 0 && (r = csv_next(csv, err)) > 0) {
		const char *host, *rack;
		size_t at;
		int end = -1;

		err_try(row_text(csv, "host_id", &host, err));
		err_try(row_text(csv, "rack_id", &rack, err));
		if (sscanf(host, "host-%zu%n", &at, &end) != 1 || host[end])
			return csv_bad(csv, csv_find(csv, "host_id"), err, "'%.40s' is no host-N",
				       host);
		if (at < trace->machine_count) {
			trace->machines[at].rack = arena_printf(trace->arena, "rack-%s", rack);
			if (!trace->machines[at].rack)
				return ROW_OUT_OF_MEMORY(err);
		}
	}
	return r;
}

/*
 * Huawei's rows of one affinity group come among others; who asks for a group asks for all of it:
 * they become one job, at the place of the first.
 */
int huawei_gather(struct trace *trace, struct err *err)
{
	struct trace all = { .arena = trace->arena };

	for (size_t j = 0; j < trace->job_count; j++) {
		struct trace_job *first = &trace->jobs[j], *job;

		if (!first->count)
			continue;
		job = trace_add_job(&all);
		if (!job)
			goto out_of_memory;
		*job = *first;
		job->first = (uint32_t)all.task_count;
		job->count = 0;
		for (size_t k = j; k < trace->job_count; k++) {
			struct trace_job *other = &trace->jobs[k];
			struct trace_task *task;

			if (!other->count ||
			    (k > j && (first->spread.kind != SPREAD_TOGETHER ||
				       other->spread.kind != SPREAD_TOGETHER ||
				       strcmp(other->spread.group, first->spread.group) != 0)))
				continue;
			task = trace_add_task(&all);
			if (!task)
				goto out_of_memory;
			*task = trace->tasks[other->first];
			task->job = (uint32_t)(all.job_count - 1);
			job->count++;
			other->count = 0;
			if (first->spread.kind != SPREAD_TOGETHER)
				break;
		}
	}
	free(trace->tasks);
	free(trace->jobs);
	trace->tasks = all.tasks;
	trace->jobs = all.jobs;
	trace->task_count = all.task_count;
	trace->task_size = all.task_size;
	trace->job_count = all.job_count;
	trace->job_size = all.job_size;
	return 0;
out_of_memory:
	free(all.tasks);
	free(all.jobs);
	return ROW_OUT_OF_MEMORY(err);
}
