/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as bytes: a head, the checkpoint of the cell, then what the simulator knows of the trace.
 * Like a checkpoint of a cell it belongs to the build that wrote it, and to one trace.
 */
#include "scheduler/sim/run_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/checkpoint.h"
#include "scheduler/core/map.h"

static const char magic[16] = "cellar sim 1\n";

struct head {
	char magic[sizeof(magic)];
	uint64_t digest; /* of all that follows the head */
	uint64_t trace;	 /* of its tasks */
	uint64_t cell_len, job_size, endings;
	uint64_t job, lines, fault;
	double peak;
	struct run_result result;
	struct meter waits_ms, decisions_ns;
};

static uint64_t digest_of(const struct trace *trace)
{
	return hash_bytes(trace->tasks, trace->task_count * sizeof(*trace->tasks),
			  trace->job_count);
}

/* The arrays behind the cell, in order. */
struct part {
	void *data;
	size_t len;
};

#define PARTS 4

static void list_parts(const struct run *run, struct part parts[PARTS])
{
	parts[0] = (struct part){ run->trace_job, run->job_size * sizeof(*run->trace_job) };
	parts[1] = (struct part){ run->left, run->trace->job_count * sizeof(*run->left) };
	parts[2] = (struct part){ run->starts, run->trace->task_count * sizeof(*run->starts) };
	parts[3] =
		(struct part){ run->endings.heap, run->endings.count * sizeof(*run->endings.heap) };
}

static void fill_head(const struct run *run, size_t cell_len, struct head *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->magic, magic, sizeof(magic));
	ret->trace = digest_of(run->trace);
	ret->cell_len = cell_len;
	ret->job_size = run->job_size;
	ret->endings = run->endings.count;
	ret->job = run->job;
	ret->lines = run->lines;
	ret->fault = run->fault;
	ret->peak = run->peak;
	ret->result = run->result;
	ret->waits_ms = run->waits_ms;
	ret->decisions_ns = run->decisions_ns;
}

int run_save(const struct run *run, char **ret_bytes, size_t *ret_len, struct err *err)
{
	_cleanup_free_ uint8_t *cell = NULL;
	struct part parts[PARTS];
	struct head head;
	size_t cell_len, len;
	char *bytes;

	err_try(cell_save(run->cell, &cell, &cell_len, err));
	fill_head(run, cell_len, &head);
	list_parts(run, parts);
	len = sizeof(head) + cell_len;
	for (int i = 0; i < PARTS; i++)
		len += parts[i].len;
	bytes = malloc(len);
	if (!bytes)
		return err_set(err, ENOMEM, "save the state of a run");
	memcpy(bytes + sizeof(head), cell, cell_len);
	*ret_len = sizeof(head) + cell_len;
	for (int i = 0; i < PARTS; i++) {
		if (parts[i].len)
			memcpy(bytes + *ret_len, parts[i].data, parts[i].len);
		*ret_len += parts[i].len;
	}
	head.digest = hash_bytes(bytes + sizeof(head), len - sizeof(head), head.trace);
	memcpy(bytes, &head, sizeof(head));
	*ret_bytes = bytes;
	return 0;
}

static int check_head(const char *bytes, size_t len, struct head *ret, struct err *err)
{
	if (len < sizeof(*ret) || memcmp(bytes, magic, sizeof(magic)) != 0)
		return err_say(err, EINVAL, "this is no checkpoint of the simulator");
	memcpy(ret, bytes, sizeof(*ret));
	if (ret->cell_len > len - sizeof(*ret) ||
	    ret->digest != hash_bytes(bytes + sizeof(*ret), len - sizeof(*ret), ret->trace))
		return err_say(err, EINVAL, "this checkpoint was cut or changed");
	return 0;
}

static int make_arrays(struct run *run, const struct head *head, size_t len, struct err *err)
{
	if (head->trace != digest_of(run->trace))
		return err_say(err, EINVAL, "this checkpoint is of another trace");
	if (head->job_size > len / sizeof(*run->trace_job) ||
	    head->endings > len / sizeof(*run->endings.heap))
		return err_say(err, EINVAL, "this checkpoint was cut or changed");
	run->trace_job = calloc(head->job_size + 1, sizeof(*run->trace_job));
	run->endings.heap = calloc(head->endings + 1, sizeof(*run->endings.heap));
	if (!run->trace_job || !run->endings.heap)
		return err_set(err, ENOMEM, "load the state of a run");
	run->job_size = head->job_size;
	run->endings.count = head->endings;
	run->endings.size = head->endings + 1;
	return 0;
}

int run_load(struct run *run, const char *bytes, size_t len, struct err *err)
{
	struct part parts[PARTS];
	struct head head;
	size_t at;

	err_try(check_head(bytes, len, &head, err));
	err_try(make_arrays(run, &head, len, err));
	list_parts(run, parts);
	at = sizeof(head) + head.cell_len;
	for (int i = 0; i < PARTS; i++) {
		if (parts[i].len > len - at)
			return err_say(err, EINVAL, "this checkpoint was cut or changed");
		if (parts[i].len)
			memcpy(parts[i].data, bytes + at, parts[i].len);
		at += parts[i].len;
	}
	run->job = head.job;
	run->lines = head.lines;
	run->fault = head.fault;
	run->peak = head.peak;
	run->result = head.result;
	run->waits_ms = head.waits_ms;
	run->decisions_ns = head.decisions_ns;
	return cell_load((const uint8_t *)bytes + sizeof(head), head.cell_len, &run->outside,
			 &run->cell, err);
}

int run_load_cell(const char *bytes, size_t len, struct outside *outside, struct cell **ret,
		  struct err *err)
{
	struct head head;

	if (len < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0)
		return cell_load((const uint8_t *)bytes, len, outside, ret, err);
	err_try(check_head(bytes, len, &head, err));
	return cell_load((const uint8_t *)bytes + sizeof(head), head.cell_len, outside, ret, err);
}
