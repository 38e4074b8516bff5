/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "runtime/engine/checkpoint.h"
#include "runtime/engine/sweep.h"
#include "scheduler/agent/alloc.h"
#include "scheduler/agent/cores.h"
#include "scheduler/agent/fence.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/kept.h"
#include "scheduler/agent/pocket.h"
#include "scheduler/agent/pressure.h"
#include "scheduler/agent/slice.h"
#include "scheduler/agent/reach.h"
#include "scheduler/agent/socket.h"

#define NS_PER_MS INT64_C(1000000)
#define BEAT_MS 1000
#define BEAT_NS (BEAT_MS * NS_PER_MS)
#define SOON_NS 0
#define MILLI 1000

static int on_beat(void *data);

/* No more messages are on their way than the link takes; what comes up meanwhile goes with the
 * next. */
static void ask_in(struct agent *agent, int64_t in_ns)
{
	unsigned depth = agent->link->depth ? agent->link->depth : 1;

	agent->beat = loop_remove(agent->beat);
	if (agent->asking < depth)
		loop_add_time(agent->loop, clock_monotonic_ns() + in_ns, on_beat, agent,
			      &agent->beat, NULL);
}

void agent_changed(struct agent *agent)
{
	agent->changed = true;
	ask_in(agent, SOON_NS);
}

void agent_poke(struct agent *agent)
{
	agent->poked = true;
	ask_in(agent, SOON_NS);
}

static int64_t at_least_one(int64_t amount)
{
	return amount > 0 ? amount : 1;
}

/* What was not said is what there is now, less what is kept for the system. */
static void find_capacity(struct agent *agent)
{
	const struct agent_options *o = &agent->options;
	struct sysinfo info;
	struct statvfs disk;

	agent->cpu_milli = o->cpu_milli ? o->cpu_milli : sysconf(_SC_NPROCESSORS_ONLN) * MILLI;
	agent->memory_bytes = o->memory_bytes;
	if (!agent->memory_bytes && sysinfo(&info) == 0)
		agent->memory_bytes = (int64_t)info.totalram * info.mem_unit;
	agent->memory_bytes = slice_memory(agent, agent->memory_bytes);
	agent->disk_bytes = o->disk_bytes;
	if (!agent->disk_bytes && statvfs(o->root, &disk) == 0)
		agent->disk_bytes = (int64_t)(disk.f_blocks * disk.f_frsize);
	agent->cpu_milli = at_least_one(agent->cpu_milli - o->reserve_cpu_milli);
	agent->memory_bytes = at_least_one(agent->memory_bytes - o->reserve_memory_bytes);
}

static size_t count_boxes(const struct agent *agent)
{
	size_t count = 0;

	for (struct box *box = agent->boxes; box; box = box->next)
		count++;
	return count;
}

static char *write_report(struct agent *agent, size_t *ret_len)
{
	size_t count = count_boxes(agent), n = 0;
	_cleanup_free_ struct report *reports = calloc(count + 1, sizeof(*reports));
	_cleanup_free_ struct task_call *calls = NULL;
	_cleanup_free_ struct task_kept *kept = NULL;
	struct machine_report report = {
		.machine = agent->options.machine,
		.rack = agent->options.rack,
		.cpu_milli = agent->cpu_milli,
		.memory_bytes = agent->memory_bytes,
		.disk_bytes = agent->disk_bytes,
		.heard_epoch = agent->epoch,
		.heard = agent->heard,
		.pressed = pressure_is_on(agent),
		.tasks = reports,
		.task_count = count,
	};

	if (!reports)
		return NULL;
	calls = socket_calls(agent, &report.call_count);
	report.calls = calls;
	kept = kept_list(agent, &report.kept_count);
	/* It would be taken for lost. */
	if (!kept)
		return NULL;
	report.kept = kept;
	for (struct box *box = agent->boxes; box; box = box->next)
		box_report(box, &reports[n++]);
	return machine_report_format(&report, ret_len);
}

static int on_beat(void *data)
{
	struct agent *agent = data;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	agent->beat = NULL;
	find_capacity(agent);
	agent->changed = agent->poked = false;
	text = write_report(agent, &len);
	if (!text) {
		ask_in(agent, BEAT_NS);
		return 0;
	}
	agent->asking++;
	agent->sent_ns = fence_now_ns();
	agent->link->send(agent->link->data, text, len, agent);
	return 0;
}

/* ---- what the master wants ---- */

static struct box *find(const struct agent *agent, const struct want *want)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->incarnation == want->incarnation && strcmp(box->task, want->task) == 0)
			return box;
	return NULL;
}

static void add(struct agent *agent, const struct want *want)
{
	struct box *box = NULL;

	if (want->program && !want->ended && !want->leaving)
		box = box_new(agent, want,
			      want->fence_ms ? agent->sent_ns + want->fence_ms * NS_PER_MS : 0);
	if (!box)
		return;
	box->wanted = true;
	box->next = agent->boxes;
	agent->boxes = box;
	agent->changed = true;
}

/* Room is free for it, or nobody is about to give any: the master knows best. */
static bool may_start(const struct agent *agent, const struct box *box)
{
	int64_t cpu = box->cpu_milli, memory = box->memory_bytes;
	bool stopping = false;

	for (struct box *other = agent->boxes; other; other = other->next) {
		if (other->state == BOX_WAITING)
			continue;
		/* What it was before still holds its ports and volumes. */
		if (other != box && strcmp(other->task, box->task) == 0)
			return false;
		if (other->state == BOX_ENDED)
			continue;
		stopping |= other->state == BOX_STOPPING;
		cpu += other->is_paused ? 0 : other->cpu_milli;
		memory += other->memory_bytes;
	}
	return !stopping || (cpu <= agent->cpu_milli && memory <= agent->memory_bytes);
}

static void start_waiting(struct agent *agent)
{
	for (struct box *box = agent->boxes; box; box = box->next)
		if (box->state == BOX_WAITING && box->wanted && may_start(agent, box))
			box_start(box);
}

static void stop_unwanted(struct agent *agent)
{
	struct box *next;

	for (struct box *box = agent->boxes; box; box = next) {
		next = box->next;
		if (!box->wanted && box->state != BOX_STOPPING)
			box_stop(box);
	}
}

/* An earlier master, which does not know yet that it is none any more, is not heard: nor by the
 * next agent. */
static bool take_epoch(struct agent *agent, uint64_t epoch)
{
	const char *path = agent->options.epoch_path;
	struct err err = { 0 };
	char text[24];

	if (epoch < agent->epoch) {
		log_warn("a master of epoch %" PRIu64 " is not heard: there was one of %" PRIu64,
			 epoch, agent->epoch);
		return false;
	}
	if (epoch == agent->epoch)
		return true;
	agent->epoch = epoch;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", epoch);
	if (path && file_replace(AT_FDCWD, path, text, strlen(text), 0600, true, &err) < 0)
		log_warn("%s", err.text);
	return true;
}

static void heed(const struct agent *agent, struct box *box, const struct want *want)
{
	box->wanted = !want->leaving;
	box->notice_ms = want->notice_ms;
	box->checkpoint = want->leaving && want->checkpoint;
	if (want->fence_ms)
		fence_put_off(box, agent->sent_ns + want->fence_ms * NS_PER_MS);
	if (want->leaving)
		return;
	box->paused = want->paused;
	box_pause(box);
	box_limit(box, want->cpu_milli, want->memory_bytes);
	pocket_update(box, want);
	if (want->ended)
		box_end(box);
}

static void apply(struct agent *agent, const struct machine_wants *wants)
{
	if (!take_epoch(agent, wants->epoch))
		return;
	socket_heed(agent, wants);
	reach_heed(agent, wants);
	agent->heard = wants->number;
	for (struct box *box = agent->boxes; box; box = box->next)
		box->wanted = false;
	for (size_t i = 0; i < wants->task_count; i++) {
		struct box *box = find(agent, &wants->tasks[i]);

		if (box)
			heed(agent, box, &wants->tasks[i]);
		else
			add(agent, &wants->tasks[i]);
	}
	kept_heed(agent, wants);
	alloc_heed(agent, wants);
	stop_unwanted(agent);
	start_waiting(agent);
}

int64_t agent_sent_ns(const struct agent *agent)
{
	return agent->sent_ns;
}

static void heed_text(struct agent *agent, const struct agent_answer *answer)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct machine_wants wants;
	struct err err = { 0 };

	agent->sent_ns = answer->sent_ns;
	if (!arena)
		return;
	if (machine_wants_parse(answer->text, answer->len, arena, &wants, &err) < 0)
		log_warn("the master's answer: %s", err.text);
	else
		apply(agent, &wants);
}

void agent_reply_to(struct agent *agent, const struct agent_answer *answer)
{
	agent->asking--;
	if (answer->text)
		heed_text(agent, answer);
	/* One that is still on its way is the beat. */
	if ((answer->text || !answer->wait_ms) && (agent->changed || agent->poked))
		ask_in(agent, SOON_NS);
	else if (!agent->asking)
		ask_in(agent, answer->wait_ms * NS_PER_MS);
}

void agent_reply(struct agent *agent, const char *text, size_t len)
{
	struct agent_answer answer = {
		.text = text, .len = len, .sent_ns = agent->sent_ns, .wait_ms = BEAT_MS
	};

	agent_reply_to(agent, &answer);
}

void agent_forget(struct agent *agent, struct box *box)
{
	struct box **p = &agent->boxes;

	while (*p != box)
		p = &(*p)->next;
	*p = box->next;
	pocket_remove(box);
	cores_give(box);
	box_free(box);
	agent_changed(agent);
	start_waiting(agent);
}

/* ---- life ---- */

static int adopt_one(void *data, const struct engine_container *container)
{
	struct agent *agent = data;
	struct box *box = box_adopt(agent, container);

	if (box && box->state == BOX_ENDED && engine_has_checkpoint(container) && kept_add(box))
		box = box_free(box);
	if (box) {
		box->next = agent->boxes;
		agent->boxes = box;
	}
	return 0;
}

static int copy_options(struct agent *agent, const struct agent_options *options)
{
	struct agent_options *o = &agent->options;

	*o = *options;
	o->root = strdup(engine_root(agent->engine));
	o->runroot = strdup(engine_runroot(agent->engine));
	o->cell = strdup(options->cell);
	o->machine = strdup(options->machine);
	o->rack = options->rack ? strdup(options->rack) : NULL;
	o->meminfo = options->meminfo ? strdup(options->meminfo) : NULL;
	o->epoch_path = options->epoch_path ? strdup(options->epoch_path) : NULL;
	o->cgroup = options->cgroup ? strdup(options->cgroup) : NULL;
	o->criu = options->criu ? strdup(options->criu) : NULL;
	if (!o->root || !o->runroot || !o->cell || !o->machine || (options->rack && !o->rack) ||
	    (options->epoch_path && !o->epoch_path) || (options->cgroup && !o->cgroup) ||
	    (options->criu && !o->criu))
		return -ENOMEM;
	return 0;
}

static void read_epoch(struct agent *agent)
{
	_cleanup_free_ char *text = NULL;

	if (agent->options.epoch_path &&
	    file_read(AT_FDCWD, agent->options.epoch_path, 64, &text, NULL, NULL) == 0)
		agent->epoch = strtoull(text, NULL, 10);
}

int agent_new(struct loop *loop, const struct agent_options *options, const struct agent_link *link,
	      struct agent **ret, struct err *err)
{
	_cleanup_agent_ struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return err_set(err, ENOMEM, "start the agent");
	agent->loop = loop;
	agent->link = link;
	err_try(engine_open(options->root, options->runroot, &agent->engine, err));
	if (copy_options(agent, options) < 0)
		return err_set(err, ENOMEM, "start the agent");
	err_try(slice_open(agent, err));
	find_capacity(agent);
	read_epoch(agent);
	err_try(engine_each(agent->engine, adopt_one, agent, err));
	pocket_sweep(agent);
	alloc_load(agent);
	agent->pressure = pressure_new(agent);
	if (!agent->pressure)
		return err_set(err, ENOMEM, "start the agent");
	agent_changed(agent);
	*ret = take_ptr(agent);
	return 0;
}

struct agent *agent_free(struct agent *agent)
{
	struct box *next;

	if (!agent)
		return NULL;
	loop_remove(agent->beat);
	reach_leave(agent);
	pressure_free(agent->pressure);
	for (struct box *box = agent->boxes; box; box = next) {
		next = box->next;
		box_free(box);
	}
	alloc_free(agent);
	kept_free(agent);
	/* What a worker had begun. */
	if (agent->engine)
		engine_sweep(engine_root(agent->engine), engine_runroot(agent->engine));
	engine_close(agent->engine);
	free((char *)agent->options.root);
	free((char *)agent->options.runroot);
	free((char *)agent->options.cell);
	free((char *)agent->options.machine);
	free((char *)agent->options.rack);
	free((char *)agent->options.meminfo);
	free((char *)agent->options.epoch_path);
	free((char *)agent->options.cgroup);
	free((char *)agent->options.criu);
	free(agent);
	return NULL;
}
