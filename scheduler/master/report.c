/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the cell as a whole, of its events, and when there is something new. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "scheduler/master/inside.h"

#define EVENTS_MOST 500

uint64_t master_index(const struct master *master)
{
	return journal_index(master->journal);
}

uint64_t master_job_index(struct master *master, const char *name)
{
	const struct held_job *job = job_find(master, name);

	return job ? job->index : 0;
}

char *master_events(const struct master *master, uint64_t since, size_t *ret_len,
		    uint64_t *ret_last)
{
	return journal_format(master, since, EVENTS_MOST, ret_len, ret_last);
}

void master_listen(struct master *master, struct master_listener *listener)
{
	listener->next = master->listeners;
	master->listeners = listener;
}

void master_unlisten(struct master *master, struct master_listener *listener)
{
	struct master_listener **p = &master->listeners;

	while (*p && *p != listener)
		p = &(*p)->next;
	if (*p)
		*p = listener->next;
}

bool master_ready(const struct master *master)
{
	return !master->stuck;
}

int master_backup(struct master *master, const char *path, struct err *err)
{
	return cell_store_backup(master->store, path, err);
}

/* ---- the cell ---- */

struct count {
	uint64_t machines[MACHINE_DOWN + 1];
	uint64_t jobs, allocs, running, starting, pending, paused, over;
};

static void count_task(const struct held_task *task, struct count *ret)
{
	const char *state = view_state(task);

	ret->running += strcmp(state, "running") == 0 || strcmp(state, "reserved") == 0;
	ret->starting += strcmp(state, "starting") == 0 || strcmp(state, "stopping") == 0;
	ret->pending += strcmp(state, "pending") == 0;
	ret->paused += strcmp(state, "paused") == 0;
	/* The index of an alloc that has gone is free. */
	ret->over += task->over && task->job->file.job;
}

static void count_all(struct master *master, struct count *ret)
{
	struct machine_view view;

	*ret = (struct count){ 0 };
	for (size_t i = 0; i < master->machine_count; i++)
		if (cell_machine(master->cell, master->machines[i].core, &view) == 0)
			ret->machines[view.state]++;
	for (struct held_job *job = master->jobs; job; job = job->next) {
		ret->jobs += !job->stopped && job->file.job;
		ret->allocs += !job->stopped && !job->file.job;
		for (uint32_t i = 0; !job->stopped && i < job->count; i++)
			count_task(&job->tasks[i], ret);
	}
}

void master_write_cell(struct master *master, struct json_writer *w)
{
	struct cell_totals totals;
	struct count count;

	count_all(master, &count);
	cell_totals(master->cell, &totals);
	json_open_object(w);
	json_field_u64(w, "epoch", master->epoch);
	json_field_u64(w, "index", master_index(master));
	json_field_i64(w, "started_ms", master->started_ms);
	json_field_bool(w, "ready", !master->stuck);
	json_key(w, "machines");
	json_open_object(w);
	json_field_u64(w, "up", count.machines[MACHINE_UP]);
	json_field_u64(w, "cordoned", count.machines[MACHINE_CORDONED]);
	json_field_u64(w, "draining", count.machines[MACHINE_DRAINING]);
	json_field_u64(w, "down", count.machines[MACHINE_DOWN]);
	json_close_object(w);
	json_field_u64(w, "jobs", count.jobs);
	json_field_u64(w, "alloc_sets", count.allocs);
	json_key(w, "tasks");
	json_open_object(w);
	json_field_u64(w, "running", count.running);
	json_field_u64(w, "starting", count.starting);
	json_field_u64(w, "pending", count.pending);
	json_field_u64(w, "paused", count.paused);
	json_field_u64(w, "over", count.over);
	json_close_object(w);
	json_field_i64(w, "cpu_milli", totals.capacity.of[RESOURCE_CPU]);
	json_field_i64(w, "cpu_used_milli", totals.used.of[RESOURCE_CPU]);
	json_field_i64(w, "memory_bytes", totals.capacity.of[RESOURCE_MEMORY]);
	json_field_i64(w, "memory_used_bytes", totals.used.of[RESOURCE_MEMORY]);
	json_field_u64(w, "placed", totals.placed);
	json_field_u64(w, "preempted", totals.preempted);
	json_close_object(w);
}

/* ---- for Prometheus ---- */

static void family(struct strbuf *sb, const char *name, const char *kind, const char *help)
{
	strbuf_addf(sb, "# HELP cellar_%s %s\n# TYPE cellar_%s %s\n", name, help, name, kind);
}

static void sample(struct strbuf *sb, const char *name, const char *label, const char *value,
		   uint64_t n)
{
	if (label)
		strbuf_addf(sb, "cellar_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, n);
	else
		strbuf_addf(sb, "cellar_%s %" PRIu64 "\n", name, n);
}

static void gauge(struct strbuf *sb, const char *name, const char *help, uint64_t n)
{
	family(sb, name, "gauge", help);
	sample(sb, name, NULL, NULL, n);
}

static void add_tasks(struct strbuf *sb, const struct count *count)
{
	family(sb, "tasks", "gauge", "Tasks of jobs that are not stopped, by state.");
	sample(sb, "tasks", "state", "running", count->running);
	sample(sb, "tasks", "state", "starting", count->starting);
	sample(sb, "tasks", "state", "pending", count->pending);
	sample(sb, "tasks", "state", "paused", count->paused);
	sample(sb, "tasks", "state", "over", count->over);
	family(sb, "machines", "gauge", "Machines by state.");
	sample(sb, "machines", "state", "up", count->machines[MACHINE_UP]);
	sample(sb, "machines", "state", "cordoned", count->machines[MACHINE_CORDONED]);
	sample(sb, "machines", "state", "draining", count->machines[MACHINE_DRAINING]);
	sample(sb, "machines", "state", "down", count->machines[MACHINE_DOWN]);
	gauge(sb, "jobs", "Jobs that are not stopped.", count->jobs);
	gauge(sb, "alloc_sets", "Alloc sets that are not stopped.", count->allocs);
}

static void add_totals(struct strbuf *sb, const struct cell_totals *totals)
{
	static const struct {
		const char *capacity, *used;
		enum resource resource;
	} amounts[] = {
		{ "cpu_capacity_milli", "cpu_promised_milli", RESOURCE_CPU },
		{ "memory_capacity_bytes", "memory_promised_bytes", RESOURCE_MEMORY },
		{ "disk_capacity_bytes", "disk_promised_bytes", RESOURCE_DISK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		gauge(sb, amounts[i].capacity, "Of machines that are not down.",
		      (uint64_t)totals->capacity.of[amounts[i].resource]);
		gauge(sb, amounts[i].used, "By the limits of running tasks.",
		      (uint64_t)totals->used.of[amounts[i].resource]);
	}
	family(sb, "placements_total", "counter", "Tasks placed on a machine.");
	sample(sb, "placements_total", NULL, NULL, totals->placed);
	family(sb, "preemptions_total", "counter", "Tasks that left for a higher priority.");
	sample(sb, "preemptions_total", NULL, NULL, totals->preempted);
}

char *master_metrics(struct master *master, size_t *ret_len)
{
	struct cell_totals totals;
	struct count count;
	struct strbuf sb = { 0 };

	count_all(master, &count);
	cell_totals(master->cell, &totals);
	add_tasks(&sb, &count);
	add_totals(&sb, &totals);
	family(&sb, "events_total", "counter", "What has happened since this master started.");
	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		sample(&sb, "events_total", "kind", journal_kind_name((enum journal_kind)kind),
		       journal_count(master->journal, (enum journal_kind)kind));
	gauge(&sb, "master_epoch", "Rises with each election.", master->epoch);
	gauge(&sb, "store_stuck", "1: the store does not take what is decided.", master->stuck);
	gauge(&sb, "master_start_time_seconds", "Since the epoch.",
	      (uint64_t)master->started_ms / 1000);
	*ret_len = sb.len;
	return strbuf_take(&sb);
}
