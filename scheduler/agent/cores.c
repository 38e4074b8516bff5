/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/cores.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/agent/inside.h"
#include "spec/oci_config.h"

#define MILLI 1000
#define WORD_BITS 64

/* Those of the machine that nobody has to itself. */
static void shared(const struct agent *agent, cpu_set_t *ret)
{
	CPU_ZERO(ret);
	sched_getaffinity(0, sizeof(*ret), ret);
	for (const struct box *box = agent->boxes; box; box = box->next)
		for (int cpu = 0; box->has_cores && cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &box->cores))
				CPU_CLR(cpu, ret);
}

static bool anybody_has_some(const struct agent *agent)
{
	for (const struct box *box = agent->boxes; box; box = box->next)
		if (box->has_cores)
			return true;
	return false;
}

static void format(const cpu_set_t *set, char *text, size_t size)
{
	size_t len = 0;

	*text = '\0';
	for (int cpu = 0; cpu < CPU_SETSIZE && len < size; cpu++)
		if (CPU_ISSET(cpu, set))
			len += (size_t)snprintf(text + len, size - len, "%s%d", len ? "," : "",
						cpu);
}

const char *cores_text(const struct box *box)
{
	static char text[4096];
	cpu_set_t set;

	if (!box->latency_sensitive || !anybody_has_some(box->agent))
		return NULL;
	if (box->has_cores)
		set = box->cores;
	else
		shared(box->agent, &set);
	format(&set, text, sizeof(text));
	return text;
}

/* ---- the others ---- */

static int move_work(void *data, struct err *err)
{
	const struct box *box = data;
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char resources[4200];
	cpu_set_t set;
	char text[4096];

	shared(box->agent, &set);
	format(&set, text, sizeof(text));
	snprintf(resources, sizeof(resources), "{\"cpu\": {\"cpus\": \"%s\"}}", text);
	err_try(engine_find(box->agent->engine, box->container, &c, err));
	err_try(engine_connect(box->agent->engine, c, &client, err));
	return shim_update(client, c->id, resources, err);
}

static void moved(void *data, const struct err *err)
{
	struct box *box = data;

	box->cores_work = NULL;
	if (err->code && box->state == BOX_RUNNING)
		log_warn("the processors of task %s: %s", box->task, err->text);
}

static void move(struct box *box)
{
	struct err err = { 0 };

	if (box->state != BOX_RUNNING || !box->latency_sensitive || box->has_cores)
		return;
	/* What it was told before is of no matter any more. */
	box->cores_work = work_cancel(box->cores_work);
	if (work_start(box->agent->loop, move_work, moved, box, &box->cores_work, &err) < 0)
		log_warn("the processors of task %s: %s", box->task, err.text);
}

/* What is shared has changed, for all that share it. */
static void move_others(const struct agent *agent)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		move(box);
}

void cores_started(struct box *box)
{
	if (anybody_has_some(box->agent))
		move(box);
}

/* ---- one of its own ---- */

void cores_take(struct box *box)
{
	int64_t want = box->cpu_milli / MILLI;
	cpu_set_t free;

	if (!box->agent->options.whole_cores || !box->latency_sensitive || !want ||
	    box->cpu_milli % MILLI)
		return;
	shared(box->agent, &free);
	if (CPU_COUNT(&free) <= want) {
		log_info("task %s shares its processors: too few are left", box->task);
		return;
	}
	CPU_ZERO(&box->cores);
	/* From the last on: the first one is where the host's own work goes. */
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && want; cpu--)
		if (CPU_ISSET(cpu, &free)) {
			CPU_SET(cpu, &box->cores);
			want--;
		}
	box->has_cores = true;
	move_others(box->agent);
}

void cores_give(struct box *box)
{
	if (!box->has_cores)
		return;
	box->has_cores = false;
	move_others(box->agent);
}

void cores_adopt(struct box *box, const char *text)
{
	uint64_t words[OCI_CPU_WORDS];

	if (!text || oci_cpus_parse(text, words) < 0)
		return;
	CPU_ZERO(&box->cores);
	for (int cpu = 0; cpu < CPU_SETSIZE && cpu < OCI_CPU_WORDS * WORD_BITS; cpu++)
		if (words[cpu / WORD_BITS] >> cpu % WORD_BITS & 1)
			CPU_SET(cpu, &box->cores);
	box->has_cores = true;
}
