/* SPDX-License-Identifier: Apache-2.0 */
/* cellar: our own format, with priorities, owners and constraints. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sim/row.h"

const char *const cellar_task_columns[] = {
	"job",	       "arrive_s", "end_s",	   "cpu_milli",	   "memory_mib", "disk_mib",
	"ports",       "devices",  "device_milli", "device_model", "priority",	 "owner",
	"constraints", "spread",   "after",	   NULL,
};
const char *const cellar_machine_columns[] = {
	"name",	   "cpu_milli",	   "memory_mib", "disk_mib",   "ports",
	"devices", "device_model", "rack",	 "attributes", NULL,
};

/* "arch=arm64;zone!=b;ssd;!gpu", a "?" in front makes one soft. */
static int parse_constraints(struct trace *trace, struct csv *csv, struct trace_job *job,
			     struct err *err)
{
	char *list = arena_strdup(trace->arena, row_optional_text(csv, "constraints")),
	     *save = NULL;
	struct constraint *all =
		list ? arena_calloc(trace->arena, strlen(list) / 2 + 1, sizeof(*all)) : NULL;

	if (!all)
		return ROW_OUT_OF_MEMORY(err);
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
	const char *name = row_optional_text(csv, "spread");

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (strcmp(name, rules[i].name) == 0) {
			rule->kind = rules[i].kind;
			rule->domain = rules[i].domain;
			return 0;
		}
	return csv_bad(csv, csv_find(csv, "spread"), err, "'%.40s' is no spread rule", name);
}

/* "prepare;load": jobs that came before, so that no circle can be written. */
static int parse_after(struct trace *trace, struct csv *csv, struct trace_job *job, struct err *err)
{
	char *list = arena_strdup(trace->arena, row_optional_text(csv, "after")), *save = NULL;
	const char **all =
		list ? arena_calloc(trace->arena, strlen(list) / 2 + 2, sizeof(*all)) : NULL;

	if (!all)
		return ROW_OUT_OF_MEMORY(err);
	for (char *word = strtok_r(list, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		if (!symbol_find(&trace->job_names, word) || strcmp(word, job->name) == 0)
			return csv_bad(
				csv, csv_find(csv, "after"), err,
				"it is to start after '%.40s', which does not come before it",
				word);
		all[job->after_count++] = word;
	}
	job->after = all;
	return 0;
}

static int start_job(struct trace *trace, struct csv *csv, const char *name, struct err *err)
{
	struct trace_job *job = &trace->jobs[trace->job_count - 1];
	const char *model = row_optional_text(csv, "device_model");
	int64_t priority = 0;

	err_try(row_new_name(csv, "job", &trace->job_names, err));
	job->name = arena_strdup(trace->arena, name);
	job->owner = arena_strdup(trace->arena, row_optional_text(csv, "owner"));
	job->device_model = *model ? arena_strdup(trace->arena, model) : NULL;
	if (!job->name || !job->owner || (*model && !job->device_model))
		return ROW_OUT_OF_MEMORY(err);
	err_try(row_number(csv, "priority", PRIORITY_MAX, &priority, err));
	job->priority = (unsigned)priority;
	err_try(parse_spread(csv, &job->spread, err));
	err_try(parse_after(trace, csv, job, err));
	return parse_constraints(trace, csv, job, err);
}

int cellar_task(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t arrive, cpu, memory, disk = 0, devices = 0, milli = DEVICE_WHOLE, end = -1;
	int64_t ports = 0;
	const char *name;
	struct trace_task *task;
	struct trace_job *job = trace->job_count ? &trace->jobs[trace->job_count - 1] : NULL;

	err_try(row_text(csv, "job", &name, err));
	if (!*name)
		return csv_bad(csv, csv_find(csv, "job"), err, "a job needs a name");
	err_try(row_number(csv, "arrive_s", ROW_SECONDS_MAX, &arrive, err));
	err_try(row_optional(csv, "end_s", ROW_SECONDS_MAX, &end, err));
	err_try(row_number(csv, "cpu_milli", ROW_CPU_MAX, &cpu, err));
	err_try(row_number(csv, "memory_mib", AMOUNT_MAX / ROW_MIB, &memory, err));
	err_try(row_optional(csv, "disk_mib", AMOUNT_MAX / ROW_MIB, &disk, err));
	err_try(row_optional(csv, "ports", ROW_PORTS, &ports, err));
	err_try(row_optional(csv, "devices", MACHINE_DEVICES_MAX, &devices, err));
	err_try(row_optional(csv, "device_milli", DEVICE_WHOLE, &milli, err));
	if (devices && !milli)
		return csv_bad(csv, csv_find(csv, "device_milli"), err, "no share of a device");
	if (devices > 1 && milli != DEVICE_WHOLE)
		return csv_bad(csv, csv_find(csv, "device_milli"), err,
			       "more than one device means whole ones");
	if (end >= 0 && end < arrive)
		return csv_bad(csv, csv_find(csv, "end_s"), err, "it ends before it comes");
	if (trace->task_count && trace->tasks[trace->task_count - 1].arrive_ms > arrive * 1000)
		return csv_bad(csv, csv_find(csv, "arrive_s"), err,
			       "rows must stand in order of arrival");
	task = row_new_task(trace, !job || strcmp(job->name, name) != 0);
	if (!task)
		return ROW_OUT_OF_MEMORY(err);
	task->arrive_ms = arrive * 1000;
	task->end_ms = end < 0 ? TRACE_NEVER : end * 1000;
	task->request.amounts =
		(struct amounts){ { cpu, memory * ROW_MIB, disk * ROW_MIB, ports } };
	task->request.device_count = (uint16_t)devices;
	task->request.device_milli = (uint16_t)(devices ? milli : 0);
	trace->timed = true;
	return job && &trace->jobs[task->job] == job ? 0 : start_job(trace, csv, name, err);
}

/* "arch=arm64;ssd=" */
static int parse_attributes(struct trace *trace, struct csv *csv, struct machine_spec *m,
			    struct err *err)
{
	char *list = arena_strdup(trace->arena, row_optional_text(csv, "attributes")), *save = NULL;
	struct attribute *all =
		list ? arena_calloc(trace->arena, strlen(list) / 2 + 1, sizeof(*all)) : NULL;

	if (!all)
		return ROW_OUT_OF_MEMORY(err);
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

int cellar_machine(struct trace *trace, struct csv *csv, struct err *err)
{
	int64_t cpu, memory, disk = ROW_DISK / ROW_MIB, ports = ROW_PORTS, devices = 0;
	const char *name, *rack, *model;
	struct machine_spec *m;

	err_try(row_new_name(csv, "name", &trace->machine_names, err));
	err_try(row_text(csv, "name", &name, err));
	err_try(row_number(csv, "cpu_milli", ROW_CPU_MAX, &cpu, err));
	err_try(row_number(csv, "memory_mib", AMOUNT_MAX / ROW_MIB, &memory, err));
	err_try(row_optional(csv, "disk_mib", AMOUNT_MAX / ROW_MIB, &disk, err));
	err_try(row_optional(csv, "ports", ROW_PORTS, &ports, err));
	err_try(row_optional(csv, "devices", MACHINE_DEVICES_MAX, &devices, err));
	m = trace_add_machine(trace);
	if (!m)
		return ROW_OUT_OF_MEMORY(err);
	rack = row_optional_text(csv, "rack");
	model = row_optional_text(csv, "device_model");
	m->name = arena_strdup(trace->arena, name);
	m->rack = *rack ? arena_strdup(trace->arena, rack) : NULL;
	m->device_model = *model ? arena_strdup(trace->arena, model) : NULL;
	m->capacity = (struct amounts){ { cpu, memory * ROW_MIB, disk * ROW_MIB, ports } };
	m->device_count = (unsigned)devices;
	return m->name ? parse_attributes(trace, csv, m, err) : ROW_OUT_OF_MEMORY(err);
}
