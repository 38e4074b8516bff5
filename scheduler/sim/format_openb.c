/* SPDX-License-Identifier: Apache-2.0 */
/* openb: Alibaba's GPU trace of 2023, machines and pods. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sim/row.h"

static unsigned priority_of_qos(const char *qos)
{
	return strcmp(qos, "BE") == 0 ? PRIORITY_BATCH : strcmp(qos, "Burstable") == 0 ? 118 : 200;
}

int openb_task(struct trace *trace, struct csv *csv, struct err *err)
{
	const char *name, *qos, *spec;
	int64_t cpu, memory, devices, milli;
	struct trace_task *task;
	struct trace_job *job;

	err_try(row_text(csv, "name", &name, err));
	err_try(row_number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(row_number(csv, "memory_mib", AMOUNT_MAX / ROW_MIB, &memory, err));
	err_try(row_number(csv, "num_gpu", MACHINE_DEVICES_MAX, &devices, err));
	err_try(row_number(csv, "gpu_milli", DEVICE_WHOLE, &milli, err));
	err_try(row_text(csv, "qos", &qos, err));
	err_try(row_text(csv, "gpu_spec", &spec, err));
	err_try(row_new_name(csv, "name", &trace->job_names, err));
	if (devices && !milli)
		return csv_bad(csv, csv_find(csv, "gpu_milli"), err, "no share of a GPU");
	if (strchr(spec, '|'))
		return csv_bad(csv, csv_find(csv, "gpu_spec"), err,
			       "a choice of models is not supported");
	task = row_new_task(trace, true);
	if (!task)
		return ROW_OUT_OF_MEMORY(err);
	job = &trace->jobs[task->job];
	job->name = arena_strdup(trace->arena, name);
	job->owner = arena_strdup(trace->arena, qos);
	job->priority = priority_of_qos(qos);
	job->device_model = *spec ? arena_strdup(trace->arena, spec) : NULL;
	if (!job->name || !job->owner || (*spec && !job->device_model))
		return ROW_OUT_OF_MEMORY(err);
	task->request.amounts.of[RESOURCE_CPU] = cpu;
	task->request.amounts.of[RESOURCE_MEMORY] = memory * ROW_MIB;
	task->request.device_count = (uint16_t)devices;
	task->request.device_milli = (uint16_t)(devices ? milli : 0);
	return 0;
}

int openb_machine(struct trace *trace, struct csv *csv, struct err *err)
{
	const char *name, *model;
	int64_t cpu, memory, devices;
	struct machine_spec *m;

	err_try(row_text(csv, "sn", &name, err));
	err_try(row_number(csv, "cpu_milli", AMOUNT_MAX, &cpu, err));
	err_try(row_number(csv, "memory_mib", AMOUNT_MAX / ROW_MIB, &memory, err));
	err_try(row_number(csv, "gpu", MACHINE_DEVICES_MAX, &devices, err));
	err_try(row_text(csv, "model", &model, err));
	err_try(row_new_name(csv, "sn", &trace->machine_names, err));
	m = trace_add_machine(trace);
	if (!m)
		return ROW_OUT_OF_MEMORY(err);
	m->name = arena_strdup(trace->arena, name);
	m->capacity = (struct amounts){ { cpu, memory * ROW_MIB, ROW_DISK, ROW_PORTS } };
	m->device_count = (unsigned)devices;
	m->device_model = *model ? arena_strdup(trace->arena, model) : NULL;
	return m->name ? 0 : ROW_OUT_OF_MEMORY(err);
}
