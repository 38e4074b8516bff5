/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/loop.h"
#include "scheduler/master/audit.h"
#include "scheduler/master/calls.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"
#include "scheduler/master/secrets.h"

#define NS_PER_MS INT64_C(1000000)
#define WATCH_NS (INT64_C(250) * NS_PER_MS)
#define DETECTION_MS 3000
#define FENCE_MS 10000

int64_t master_now_ns(const struct master *master)
{
	return master->clock_ns ? master->clock_ns(master->clock_data) : clock_monotonic_ns();
}

static int on_watch(void *data)
{
	struct master *master = data;
	int64_t now = master_now_ns(master), late = now - master->watch_due_ns;

	master->watchdog = NULL;
	/* While this process stood still it heard nobody: that is no silence of theirs. */
	for (size_t i = 0; master->watch_due_ns && late > WATCH_NS && i < master->machine_count;
	     i++)
		master->machines[i].seen_ns += late;
	machines_watch(master);
	master->watch_due_ns = now + WATCH_NS;
	return loop_add_time(master->loop, clock_monotonic_ns() + WATCH_NS, on_watch, master,
			     &master->watchdog, NULL);
}

static int set_up(struct master *master, const struct master_options *options, struct err *err)
{
	struct cell_options cell = { .quota_where_set = true,
				     .production_share = options->production_share };
	_cleanup_free_ char *key_path = NULL, *audit_path = NULL;

	master->arena = arena_new();
	if (asprintf(&key_path, "%s.key", options->store_path) >= 0)
		master->secrets = secrets_new(key_path);
	if (asprintf(&audit_path, "%s.audit", options->store_path) >= 0)
		master->audit = audit_new(audit_path);
	master->rules = rules_new();
	if (!master->arena || !master->secrets || !master->audit || !master->rules)
		return err_set(err, ENOMEM, "start the master");
	master->outside = (struct outside){ .random = (uint64_t)clock_realtime_ns(),
					    .event = master_on_event,
					    .data = master };
	master_tick(master);
	err_try(cell_new(&cell, &master->outside, &master->cell, err));
	err_try(cell_store_open(options->store_path, &master->store, err));
	err_try(cell_store_elect(master->store, options->who, &master->epoch, err));
	master->names.seed = master->outside.random;
	master->started_ms = master->outside.now_ms;
	master->journal = journal_new(master->epoch);
	if (!master->journal)
		return err_set(err, ENOMEM, "start the master");
	return persist_load(master, err);
}

int master_new(struct loop *loop, const struct master_options *options, struct master **ret,
	       struct err *err)
{
	_cleanup_master_ struct master *master = calloc(1, sizeof(*master));

	if (!master)
		return err_set(err, ENOMEM, "start the master");
	master->loop = loop;
	master->detection_ns =
		(options->detection_ms ? options->detection_ms : DETECTION_MS) * NS_PER_MS;
	master->fence_ns = (options->fence_ms ? options->fence_ms : FENCE_MS) * NS_PER_MS;
	master->production_share = options->production_share;
	master->clock_ns = options->clock_ns;
	master->clock_data = options->clock_data;
	err_try(set_up(master, options, err));
	on_watch(master);
	master_settle(master);
	*ret = take_ptr(master);
	return 0;
}

struct master *master_free(struct master *master)
{
	if (!master)
		return NULL;
	loop_remove(master->timer);
	loop_remove(master->watchdog);
	master->loading = true;
	while (master->jobs)
		job_drop(master, master->jobs);
	secrets_free(master->secrets);
	rules_free(master->rules);
	audit_free(master->audit);
	for (size_t i = 0; i < master->machine_count; i++) {
		calls_free(master->machines[i].calls);
		reach_free(master->machines[i].summons);
		free(master->machines[i].kept);
	}
	names_deinit(&master->names);
	journal_free(master->journal);
	leave_free(master);
	cell_free(master->cell);
	cell_store_close(master->store);
	arena_free(master->arena);
	free(master->by_core);
	free(master->machines);
	free(master->machine_by_core);
	free(master);
	return NULL;
}
