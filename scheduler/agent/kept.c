/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/kept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/agent/inside.h"

struct kept {
	struct agent *agent;
	struct kept *next;
	char task[TASK_NAME_SIZE];
	char container[TASK_NAME_SIZE + 32];
	uint64_t incarnation, program;
	struct work *work; /* that removes it */
};

bool kept_add(struct box *box)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return false;
	*kept = (struct kept){ .agent = box->agent,
			       .next = box->agent->kept,
			       .incarnation = box->incarnation,
			       .program = box->program_hash };
	snprintf(kept->task, sizeof(kept->task), "%s", box->task);
	snprintf(kept->container, sizeof(kept->container), "%s", box->container);
	box->agent->kept = kept;
	return true;
}

static void forget(struct kept *kept)
{
	struct kept **p = &kept->agent->kept;

	while (*p != kept)
		p = &(*p)->next;
	*p = kept->next;
	free(kept);
}

/* ---- removing ---- */

static int remove_work(void *data, struct err *err)
{
	const struct kept *kept = data;
	struct engine *engine = kept->agent->engine;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, kept->container, &c, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return engine_destroy(engine, c, ENGINE_REMOVE_FORCE | ENGINE_REMOVE_VOLUMES, err);
}

/* What failed is tried again when the master says it again. */
static void removed(void *data, const struct err *err)
{
	struct kept *kept = data;
	struct agent *agent = kept->agent;

	kept->work = NULL;
	if (err->code)
		log_warn("the checkpoint of task %s: %s", kept->task, err->text);
	else
		forget(kept);
	agent_changed(agent);
}

static void drop(struct kept *kept)
{
	struct err err = { 0 };

	if (!kept->work &&
	    work_start(kept->agent->loop, remove_work, removed, kept, &kept->work, &err) < 0)
		log_warn("the checkpoint of task %s: %s", kept->task, err.text);
}

static void heed_one(struct agent *agent, const struct task_kept *which)
{
	for (struct kept *kept = agent->kept; kept; kept = kept->next)
		if (kept->incarnation == which->incarnation && strcmp(kept->task, which->task) == 0)
			drop(kept);
}

void kept_heed(struct agent *agent, const struct machine_wants *wants)
{
	for (size_t i = 0; i < wants->drop_count; i++)
		heed_one(agent, &wants->drop[i]);
}

/* ---- going on ---- */

static void claim_one(struct box *box, struct kept *kept)
{
	bool wanted = box->kept && box->kept == kept->incarnation && !kept->work;

	if (wanted && kept->program == box->program_hash && !box->from) {
		box->from = strdup(kept->container);
		if (box->from) {
			forget(kept);
			return;
		}
	}
	if (wanted && !box->no_checkpoint)
		box->no_checkpoint = strdup("its program, limits or ports are others now");
	drop(kept);
}

void kept_claim(struct box *box)
{
	struct kept *next;

	for (struct kept *kept = box->agent->kept; kept; kept = next) {
		next = kept->next;
		if (strcmp(kept->task, box->task) == 0)
			claim_one(box, kept);
	}
	if (box->kept && !box->from && !box->no_checkpoint)
		box->no_checkpoint = strdup("it is not on the machine any more");
}

/* ---- telling ---- */

struct task_kept *kept_list(const struct agent *agent, size_t *ret_count)
{
	struct task_kept *list;
	size_t count = 0, n = 0;

	for (const struct kept *kept = agent->kept; kept; kept = kept->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	for (const struct kept *kept = agent->kept; list && kept && n < TASKS_KEPT_MAX;
	     kept = kept->next)
		list[n++] = (struct task_kept){ kept->task, kept->incarnation };
	*ret_count = n;
	return list;
}

void kept_free(struct agent *agent)
{
	struct kept *next;

	for (struct kept *kept = agent->kept; kept; kept = next) {
		next = kept->next;
		work_cancel(kept->work);
		free(kept);
	}
	agent->kept = NULL;
}
