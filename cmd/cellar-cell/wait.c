/* SPDX-License-Identifier: Apache-2.0 */
/* Until a job runs: the cell says when something about it has changed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/cellar-cell/verbs.h"
#include "spec/job/amount.h"

#define WAIT_MAX_S 60
#define MS_PER_S 1000
#define NS_PER_MS INT64_C(1000000)

static int tell_pending(const struct ask *ask, const char *job, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, tasks;
	size_t count = 0;

	err_try(cell_ask_name(ask, "GET", "/v1/jobs/%s", job, NULL, &doc, err));
	root = json_root(doc);
	json_get_array(&root, "tasks", &tasks, &count, NULL);
	fflush(stdout);
	for (size_t i = 0; i < count; i++) {
		struct json_node task = json_at(&tasks, i);
		const char *state = cell_text(ask, &task, "state"),
			   *reason = cell_text(ask, &task, "reason");

		if (strcmp(state, "running") != 0 && strcmp(state, "finished") != 0 &&
		    strcmp(state, "reserved") != 0)
			fprintf(stderr, "%s/%" PRId64 ": %s%s%s\n", job,
				cell_number(&task, "index"), state, *reason ? ": " : "", reason);
	}
	return EXIT_TIMEOUT;
}

int cell_await_job(const struct ask *ask, const char *job, const char *limit, struct err *err)
{
	int64_t limit_ms = INT64_MAX, began_ns = clock_monotonic_ns(), index = 0;

	if (limit && amount_parse_ms(limit, &limit_ms) < 0)
		return err_say(err, EINVAL, "\"%s\" is not a time, like 500ms, 30s or 5m", limit);
	for (;;) {
		int64_t left_ms = limit_ms - (clock_monotonic_ns() - began_ns) / NS_PER_MS;
		_cleanup_json_ struct json_doc *doc = NULL;
		struct json_node root;
		char path[128];

		if (left_ms <= 0)
			return tell_pending(ask, job, err);
		snprintf(path, sizeof(path),
			 "/v1/jobs/%%s?tasks=false&index=%" PRId64 "&wait=%" PRId64, index,
			 left_ms / MS_PER_S < WAIT_MAX_S ? left_ms / MS_PER_S + 1 : WAIT_MAX_S);
		err_try(cell_ask_name(ask, "GET", path, job, NULL, &doc, err));
		root = json_root(doc);
		if (cell_number(&root, "pending") == 0)
			return 0;
		index = cell_number(&root, "index");
	}
}
