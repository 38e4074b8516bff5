/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of traces: a row becomes a task or a machine. docs/simulator.md has the columns. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/map.h"
#include "scheduler/sim/csv.h"
#include "scheduler/sim/trace.h"

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)
/* Where a trace tells nothing of them: plenty. */
#define DISK ((int64_t)1 << 40)
#define PORTS 65536
#define SECONDS_MAX ((int64_t)1 << 40)

#define OUT_OF_MEMORY(err) err_set(err, ENOMEM, "read a trace")

/* A number in a column that must be there. */
static int number(struct csv *csv, const char *name, int64_t max, int64_t *ret, struct err *err)
{
	int column = csv_column(csv, name, err);

	return column < 0 ? column : csv_number(csv, column, 0, max, ret, err);
}

/* A text in a column that must be there; "" when empty. Valid until the next row. */
static int text(struct csv *csv, const char *name, const char **ret, struct err *err)
{
	int column = csv_column(csv, name, err);

	if (column < 0)
		return column;
	*ret = csv_string(csv, column);
	return 0;
}

/* The task's row as a job of its own, or as one more of the last job. */
static struct trace_task *new_task(struct trace *trace, bool new_job)
{
	struct trace_job *job = new_job ? trace_add_job(trace) : &trace->jobs[trace->job_count - 1];
	struct trace_task *task = job ? trace_add_task(trace) : NULL;

	if (!task)
		return NULL;
	task->job = (uint32_t)(trace->job_count - 1);
	task->end_ms = TRACE_NEVER;
	if (new_job)
		job->first = (uint32_t)(trace->task_count - 1);
	job->count++;
	return task;
}

/* ---- azure-v1 ---- */

/* The trace has no priorities: three batches in ten, by hash, are best-effort batch. */
static unsigned synthetic_priority(int64_t batch)
{
	return hash_mix((uint64_t)batch) % 10 < 3 ? PRIORITY_BATCH : 200;
}

static int azure_task(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t batch, arrive, cpu, memory, censored, end = 0;
	char name[32];
	struct trace_task *task;
	struct trace_job *job;

	err_try(number(csv, "batch", INT64_MAX - 1, &batch, err));
	err_try(number(csv, "arrive_s", SECONDS_MAX, &arrive, err));
	err_try(number(csv, "censored", 1, &censored, err));
	err_try(number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(number(csv, "memory_mib", AMOUNT_MAX / MIB, &memory, err));
	if (!censored) {
		err_try(number(csv, "end_s", SECONDS_MAX, &end, err));
		if (end < arrive)
			return csv_bad(csv, csv_find(csv, "end_s"), err, "it ends before it comes");
	}
	if (trace->task_count && trace->tasks[trace->task_count - 1].arrive_ms > arrive * 1000)
		return csv_bad(csv, csv_find(csv, "arrive_s"), err,
			       "rows must stand in order of arrival");
	snprintf(name, sizeof(name), "batch-%lld", (long long)batch);
	job = trace->job_count ? &trace->jobs[trace->job_count - 1] : NULL;
	task = new_task(trace, !job || strcmp(job->owner, name) != 0 ||
				       trace->tasks[job->first].arrive_ms != arrive * 1000);
	if (!task)
		return OUT_OF_MEMORY(err);
	job = &trace->jobs[trace->job_count - 1];
	if (job->count == 1) {
		job->name = arena_printf(trace->arena, "%s@%zu", name, csv_line(csv));
		job->owner = arena_strdup(trace->arena, name);
		job->priority = synthetic_priority(batch);
		if (!job->name || !job->owner)
			return OUT_OF_MEMORY(err);
	}
	task->arrive_ms = arrive * 1000;
	task->end_ms = censored ? TRACE_NEVER : end * 1000;
	task->request.amounts.of[RESOURCE_CPU] = cpu;
	task->request.amounts.of[RESOURCE_MEMORY] = memory * MIB;
	trace->timed = true;
	return 0;
}

/* ---- openb ---- */

static unsigned priority_of_qos(const char *qos)
{
	return strcmp(qos, "BE") == 0 ? PRIORITY_BATCH : strcmp(qos, "Burstable") == 0 ? 118 : 200;
}

static int openb_task(struct trace *trace, struct csv *csv, struct err *err)
{
	const char *name, *qos, *spec;
	int64_t cpu, memory, devices, milli;
	struct trace_task *task;
	struct trace_job *job;

	err_try(text(csv, "name", &name, err));
	err_try(number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(number(csv, "memory_mib", AMOUNT_MAX / MIB, &memory, err));
	err_try(number(csv, "num_gpu", MACHINE_DEVICES_MAX, &devices, err));
	err_try(number(csv, "gpu_milli", DEVICE_WHOLE, &milli, err));
	err_try(text(csv, "qos", &qos, err));
	err_try(text(csv, "gpu_spec", &spec, err));
	if (devices && !milli)
		return csv_bad(csv, csv_find(csv, "gpu_milli"), err, "no share of a GPU");
	if (strchr(spec, '|'))
		return csv_bad(csv, csv_find(csv, "gpu_spec"), err,
			       "a choice of models is not supported");
	task = new_task(trace, true);
	if (!task)
		return OUT_OF_MEMORY(err);
	job = &trace->jobs[task->job];
	job->name = arena_strdup(trace->arena, name);
	job->owner = arena_strdup(trace->arena, qos);
	job->priority = priority_of_qos(qos);
	job->device_model = *spec ? arena_strdup(trace->arena, spec) : NULL;
	if (!job->name || !job->owner || (*spec && !job->device_model))
		return OUT_OF_MEMORY(err);
	task->request.amounts.of[RESOURCE_CPU] = cpu;
	task->request.amounts.of[RESOURCE_MEMORY] = memory * MIB;
	task->request.device_count = (uint16_t)devices;
	task->request.device_milli = (uint16_t)(devices ? milli : 0);
	return 0;
}

static int openb_machine(struct trace *trace, struct csv *csv, struct err *err)
{
	const char *name, *model;
	int64_t cpu, memory, devices;
	struct machine_spec *m;

	err_try(text(csv, "sn", &name, err));
	err_try(number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(number(csv, "memory_mib", AMOUNT_MAX / MIB, &memory, err));
	err_try(number(csv, "gpu", MACHINE_DEVICES_MAX, &devices, err));
	err_try(text(csv, "model", &model, err));
	m = trace_add_machine(trace);
	if (!m)
		return OUT_OF_MEMORY(err);
	m->name = arena_strdup(trace->arena, name);
	m->capacity = (struct amounts){ { cpu, memory * MIB, DISK, PORTS } };
	m->device_count = (unsigned)devices;
	m->device_model = *model ? arena_strdup(trace->arena, model) : NULL;
	return m->name ? 0 : OUT_OF_MEMORY(err);
}

/* ---- huawei ---- */

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
	err_try(text(csv, "group", &group, err));
	if (strcmp(strategy, "affinity") == 0) {
		*ret = (struct spread_rule){ .kind = SPREAD_TOGETHER, .domain = DOMAIN_RACK };
	} else if (strcmp(strategy, "anti-affinity") == 0) {
		*ret = (struct spread_rule){ .kind = SPREAD_APART, .domain = DOMAIN_MACHINE };
	} else if (strcmp(strategy, "fault_domain") == 0) {
		err_try(number(csv, "domain", 4095, &division, err));
		*ret = (struct spread_rule){ .kind = SPREAD_DIVIDED, .domain = DOMAIN_RACK };
	} else {
		return csv_bad(csv, csv_find(csv, "strategy"), err,
			       "'%.40s' is no strategy (affinity, anti-affinity, fault_domain)",
			       strategy);
	}
	ret->division = (uint32_t)division;
	ret->group = arena_printf(trace->arena, "%s-%s", strategy, group);
	return ret->group ? 0 : OUT_OF_MEMORY(err);
}

static int huawei_task(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t cpu, memory, nodes;
	struct spread_rule rule = { 0 };
	const char *strategy;
	struct trace_task *task;
	struct trace_job *job;

	err_try(number(csv, "flavor_vcpus", AMOUNT_MAX / 1000, &cpu, err));
	err_try(number(csv, "flavor_ram", AMOUNT_MAX / GIB, &memory, err));
	err_try(number(csv, "numa", MACHINE_NODES_MAX, &nodes, err));
	err_try(text(csv, "strategy", &strategy, err));
	err_try(huawei_rule(trace, csv, strategy, &rule, err));
	task = new_task(trace, true);
	if (!task)
		return OUT_OF_MEMORY(err);
	job = &trace->jobs[task->job];
	job->name = arena_printf(trace->arena, "vm-%zu", csv_line(csv) - 1);
	job->owner = "huawei";
	job->priority = 200;
	job->spread = rule;
	task->request.amounts.of[RESOURCE_CPU] = cpu * 1000;
	task->request.amounts.of[RESOURCE_MEMORY] = memory * GIB;
	task->request.nodes = (uint32_t)nodes;
	return job->name ? 0 : OUT_OF_MEMORY(err);
}

static int huawei_machine(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t cpu[2], memory[2];
	struct machine_spec *m;

	err_try(number(csv, "CPU1", AMOUNT_MAX / 4000, &cpu[0], err));
	err_try(number(csv, "RAM1", AMOUNT_MAX / 4 / GIB, &memory[0], err));
	err_try(number(csv, "CPU2", AMOUNT_MAX / 4000, &cpu[1], err));
	err_try(number(csv, "RAM2", AMOUNT_MAX / 4 / GIB, &memory[1], err));
	m = trace_add_machine(trace);
	if (!m)
		return OUT_OF_MEMORY(err);
	m->name = arena_printf(trace->arena, "host-%zu", trace->machine_count - 1);
	m->capacity = (struct amounts){ { (cpu[0] + cpu[1]) * 1000, (memory[0] + memory[1]) * GIB,
					  DISK, PORTS } };
	m->node_count = 2;
	for (int n = 0; n < 2; n++)
		m->node[n] = (struct amounts){ { cpu[n] * 1000, memory[n] * GIB } };
	return m->name ? 0 : OUT_OF_MEMORY(err);
}

int trace_read_racks(struct trace *trace, const char *path, struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = csv_open(path, &csv, err);

	while (r >= 0 && (r = csv_next(csv, err)) > 0) {
		const char *host, *rack;
		size_t at;
		int end = -1;

		err_try(text(csv, "host_id", &host, err));
		err_try(text(csv, "rack_id", &rack, err));
		if (sscanf(host, "host-%zu%n", &at, &end) != 1 || host[end])
			return csv_bad(csv, csv_find(csv, "host_id"), err, "'%.40s' is no host-N",
				       host);
		if (at < trace->machine_count) {
			trace->machines[at].rack = arena_printf(trace->arena, "rack-%s", rack);
			if (!trace->machines[at].rack)
				return OUT_OF_MEMORY(err);
		}
	}
	return r;
}

/* ---- our own ---- */

/* A column that need not be there, or may be empty. */
static int optional(struct csv *csv, const char *name, int64_t max, int64_t *ret, struct err *err)
{
	int column = csv_find(csv, name);

	if (column < 0 || !*csv_string(csv, column))
		return 0;
	return csv_number(csv, column, 0, max, ret, err);
}

static const char *optional_text(struct csv *csv, const char *name)
{
	int column = csv_find(csv, name);

	return column < 0 ? "" : csv_string(csv, column);
}

/* "arch=arm64;zone!=b;ssd;!gpu", a "?" in front makes one soft. */
static int parse_constraints(struct trace *trace, struct csv *csv, struct trace_job *job,
			     struct err *err)
{
	char *list = arena_strdup(trace->arena, optional_text(csv, "constraints")), *save = NULL;
	struct constraint *all =
		list ? arena_calloc(trace->arena, strlen(list) / 2 + 1, sizeof(*all)) : NULL;

	if (!all)
		return OUT_OF_MEMORY(err);
	for (char *word = strtok_r(list, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		struct constraint *c = &all[job->constraint_count++];
		char *equals;

		c->soft = *word == '?';
		word += c->soft;
		c->comparison = *word == '!' ? COMPARE_ABSENT : COMPARE_EXISTS;
		word += *word == '!';
		equals = strchr(word, '=');
		if (equals) {
			c->comparison = equals > word && equals[-1] == '!' ? COMPARE_UNEQUAL
									   : COMPARE_EQUAL;
			equals[c->comparison == COMPARE_UNEQUAL ? -1 : 0] = '\0';
			c->value = equals + 1;
		}
		c->key = word;
		if (!*c->key)
			return csv_bad(csv, csv_find(csv, "constraints"), err,
				       "a constraint without a key");
	}
	job->constraints = all;
	return 0;
}

static int parse_spread(struct csv *csv, struct spread_rule *rule, struct err *err)
{
	static const struct {
		const char *name;
		enum spread kind;
		enum domain domain;
	} rules[] = {
		{ "", SPREAD_NONE, DOMAIN_MACHINE },
		{ "apart-machine", SPREAD_APART, DOMAIN_MACHINE },
		{ "apart-rack", SPREAD_APART, DOMAIN_RACK },
		{ "together-rack", SPREAD_TOGETHER, DOMAIN_RACK },
		{ "together-machine", SPREAD_TOGETHER, DOMAIN_MACHINE },
	};
	const char *name = optional_text(csv, "spread");

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (strcmp(name, rules[i].name) == 0) {
			rule->kind = rules[i].kind;
			rule->domain = rules[i].domain;
			return 0;
		}
	return csv_bad(csv, csv_find(csv, "spread"), err, "'%.40s' is no spread rule", name);
}

static int start_job(struct trace *trace, struct csv *csv, const char *name, struct err *err)
{
	struct trace_job *job = &trace->jobs[trace->job_count - 1];
	int64_t priority = 0;

	job->name = arena_strdup(trace->arena, name);
	job->owner = arena_strdup(trace->arena, optional_text(csv, "owner"));
	if (!job->name || !job->owner)
		return OUT_OF_MEMORY(err);
	err_try(number(csv, "priority", PRIORITY_MAX, &priority, err));
	job->priority = (unsigned)priority;
	err_try(parse_spread(csv, &job->spread, err));
	return parse_constraints(trace, csv, job, err);
}

static int cellar_task(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t arrive, cpu, memory, disk = 0, devices = 0, milli = DEVICE_WHOLE, end = -1;
	const char *name;
	struct trace_task *task;
	struct trace_job *job = trace->job_count ? &trace->jobs[trace->job_count - 1] : NULL;

	err_try(text(csv, "job", &name, err));
	if (!*name)
		return csv_bad(csv, csv_find(csv, "job"), err, "a job needs a name");
	err_try(number(csv, "arrive_s", SECONDS_MAX, &arrive, err));
	err_try(optional(csv, "end_s", SECONDS_MAX, &end, err));
	err_try(number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(number(csv, "memory_mib", AMOUNT_MAX / MIB, &memory, err));
	err_try(optional(csv, "disk_mib", AMOUNT_MAX / MIB, &disk, err));
	err_try(optional(csv, "devices", MACHINE_DEVICES_MAX, &devices, err));
	err_try(optional(csv, "device_milli", DEVICE_WHOLE, &milli, err));
	if (end >= 0 && end < arrive)
		return csv_bad(csv, csv_find(csv, "end_s"), err, "it ends before it comes");
	if (trace->task_count && trace->tasks[trace->task_count - 1].arrive_ms > arrive * 1000)
		return csv_bad(csv, csv_find(csv, "arrive_s"), err,
			       "rows must stand in order of arrival");
	task = new_task(trace, !job || strcmp(job->name, name) != 0);
	if (!task)
		return OUT_OF_MEMORY(err);
	task->arrive_ms = arrive * 1000;
	task->end_ms = end < 0 ? TRACE_NEVER : end * 1000;
	task->request.amounts = (struct amounts){ { cpu, memory * MIB, disk * MIB } };
	task->request.device_count = (uint16_t)devices;
	task->request.device_milli = (uint16_t)(devices ? milli : 0);
	trace->timed = true;
	return job && &trace->jobs[task->job] == job ? 0 : start_job(trace, csv, name, err);
}

/* "arch=arm64;ssd=" */
static int parse_attributes(struct trace *trace, struct csv *csv, struct machine_spec *m,
			    struct err *err)
{
	char *list = arena_strdup(trace->arena, optional_text(csv, "attributes")), *save = NULL;
	struct attribute *all =
		list ? arena_calloc(trace->arena, strlen(list) / 2 + 1, sizeof(*all)) : NULL;

	if (!all)
		return OUT_OF_MEMORY(err);
	for (char *word = strtok_r(list, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		char *equals = strchr(word, '=');

		if (!equals || equals == word)
			return csv_bad(csv, csv_find(csv, "attributes"), err,
				       "'%.40s' is no KEY=VALUE", word);
		*equals = '\0';
		all[m->attribute_count++] = (struct attribute){ word, equals + 1 };
	}
	m->attributes = all;
	return 0;
}

static int cellar_machine(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t cpu, memory, disk = DISK / MIB, ports = PORTS, devices = 0;
	const char *name, *rack, *model;
	struct machine_spec *m;

	err_try(text(csv, "name", &name, err));
	err_try(number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(number(csv, "memory_mib", AMOUNT_MAX / MIB, &memory, err));
	err_try(optional(csv, "disk_mib", AMOUNT_MAX / MIB, &disk, err));
	err_try(optional(csv, "ports", 65536, &ports, err));
	err_try(optional(csv, "devices", MACHINE_DEVICES_MAX, &devices, err));
	m = trace_add_machine(trace);
	if (!m)
		return OUT_OF_MEMORY(err);
	rack = optional_text(csv, "rack");
	model = optional_text(csv, "device_model");
	m->name = arena_strdup(trace->arena, name);
	m->rack = *rack ? arena_strdup(trace->arena, rack) : NULL;
	m->device_model = *model ? arena_strdup(trace->arena, model) : NULL;
	m->capacity = (struct amounts){ { cpu, memory * MIB, disk * MIB, ports } };
	m->device_count = (unsigned)devices;
	return m->name ? parse_attributes(trace, csv, m, err) : OUT_OF_MEMORY(err);
}

/* ---- the table of formats ---- */

static const struct format {
	const char *name;
	int (*task)(struct trace *trace, struct csv *csv, struct err *err);
	int (*machine)(struct trace *trace, struct csv *csv, struct err *err);
} formats[] = {
	{ "azure-v1", azure_task, NULL },
	{ "openb", openb_task, openb_machine },
	{ "huawei", huawei_task, huawei_machine },
	{ "cellar", cellar_task, cellar_machine },
};

static const struct format *find_format(const char *name, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	err_say(err, EINVAL, "'%s' is no format of a trace: azure-v1, openb, huawei or cellar",
		name);
	return NULL;
}

static int parse(struct trace *trace, struct csv *csv,
		 int (*row)(struct trace *trace, struct csv *csv, struct err *err), struct err *err)
{
	int r;

	if (!trace->arena && !(trace->arena = arena_new()))
		return OUT_OF_MEMORY(err);
	while ((r = csv_next(csv, err)) > 0)
		err_try(row(trace, csv, err));
	return r;
}

/*
 * Huawei's rows of one affinity group come among others; who asks for a group asks for all of it:
 * they become one job, at the place of the first.
 */
static int gather_groups(struct trace *trace, struct err *err)
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
	return OUT_OF_MEMORY(err);
}

int trace_parse_tasks(struct trace *trace, const char *format, struct csv *csv, struct err *err)
{
	const struct format *f = find_format(format, err);

	err_try(f ? parse(trace, csv, f->task, err) : -EINVAL);
	return f->task == huawei_task ? gather_groups(trace, err) : 0;
}

int trace_parse_machines(struct trace *trace, const char *format, struct csv *csv, struct err *err)
{
	const struct format *f = find_format(format, err);

	if (!f)
		return -EINVAL;
	if (!f->machine)
		return err_say(err, EINVAL, "%s has no machines: give --shape and --count", format);
	return parse(trace, csv, f->machine, err);
}

int trace_read_tasks(struct trace *trace, const char *format, const char *path, struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = find_format(format, err) ? csv_open(path, &csv, err) : -EINVAL;

	return r < 0 ? r : trace_parse_tasks(trace, format, csv, err);
}

int trace_read_machines(struct trace *trace, const char *format, const char *path, struct err *err)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int r = find_format(format, err) ? csv_open(path, &csv, err) : -EINVAL;

	return r < 0 ? r : trace_parse_machines(trace, format, csv, err);
}
