/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job file becomes a job of a cell. What the core decides by is mapped; what only the agent needs
 * (command, variables, volumes, secrets, health, grace) stays in the file. single_instance is the
 * agent's, too: the core never places a task twice.
 *
 * Ports: on the host's network a task listens where it is told, so the container's port is one of
 * the machine; elsewhere only `host` is. One number for TCP and UDP is one port. What the file
 * leaves to the cell comes behind the chosen ones.
 */
#pragma once

#include "base/arena.h"
#include "scheduler/core/cell.h"
#include "spec/job/job.h"

/* The file must have come from job_file_parse. Lists live in the arena, strings where the file's
 * do. -ENOMEM; -ERANGE for what a job file may ask and no machine can have. */
int intake_job(const struct job_file *file, struct arena *arena, struct job *ret, struct err *err);

/* Which of the task's ports (see cell_task_port) the i-th port of the file is. */
uint32_t intake_port(const struct job_file *file, size_t i);

/* Maps and submits; an error names the file, line and column of what the cell refuses. */
int intake_submit(struct cell *cell, const struct job_file *file, uint32_t *ret_job,
		  struct err *err);

/* Files that come together, in an order in which each comes after those that it names: fills
 * ret_order. Two of one name and circles are refused, with file, line and column. */
int intake_order(const struct job_file *files, size_t count, size_t *ret_order, struct err *err);
