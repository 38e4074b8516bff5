/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/health.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/shim/health_probe.h"
#include "runtime/shim/health_record.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/settle.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/task_news.h"

#define MS_NS INT64_C(1000000)

struct health {
	struct task *task;
	struct shim_health check; /* owns its texts */
	const struct probe_ops *ops;
	struct health_record record;
	struct probe *probe;	   /* NULL: none is under way */
	struct loop_source *timer; /* of the next one, or of the patience with this one */
	int64_t begun_ns;	   /* of the one that is under way */
};

struct health *health_free(struct health *h)
{
	if (!h)
		return NULL;
	if (h->probe)
		h->ops->free(h->probe);
	loop_remove(h->timer);
	health_record_deinit(&h->record);
	free((char *)(uintptr_t)h->check.process_json);
	free((char *)(uintptr_t)h->check.path);
	free(h);
	return NULL;
}

int health_new(struct task *task, const struct shim_health *check, struct health **ret,
	       struct err *err)
{
	struct health *h;

	if (check->kind == SHIM_HEALTH_NONE)
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(err, ENOMEM, "create container %s", task->id);
	h->task = task;
	h->check = *check;
	h->check.process_json = check->process_json ? strdup(check->process_json) : NULL;
	h->check.path = check->path ? strdup(check->path) : NULL;
	h->ops = check->kind == SHIM_HEALTH_EXEC ? &probe_exec : &probe_net;
	if ((check->process_json && !h->check.process_json) || (check->path && !h->check.path)) {
		health_free(h);
		return err_set(err, ENOMEM, "create container %s", task->id);
	}
	*ret = h;
	return 0;
}

static void save(const struct health *h)
{
	struct err err = { 0 };

	/* The next look writes it again. */
	if (health_record_save(h->task->bundle, &h->record, &err) < 0)
		log_warn("%s", err.text);
}

static int on_timer(void *data);

static void set_timer(struct health *h, int64_t wait_ns)
{
	struct err err = { 0 };

	h->timer = loop_remove(h->timer);
	if (loop_add_time(h->task->shim->loop, clock_monotonic_ns() + wait_ns, on_timer, h,
			  &h->timer, &err) < 0)
		log_error("health of container %s: %s", h->task->id, err.text);
}

static bool in_start_period(const struct health *h, int64_t now_ns)
{
	return h->record.status == HEALTH_STARTING &&
	       now_ns - h->task->init.started_ns < h->check.start_period_ns;
}

static void set_next(struct health *h)
{
	set_timer(h, in_start_period(h, clock_realtime_ns()) ? h->check.start_interval_ns
							     : h->check.interval_ns);
}

static void act(struct health *h)
{
	struct task *task = h->task;
	int64_t timeout_ns = h->check.stop_timeout_ms * MS_NS;

	switch (h->check.action) {
	case SHIM_HEALTH_GO_ON:
		return;
	case SHIM_HEALTH_RESTART:
		restart_now(task, (int)h->check.stop_signal, timeout_ns, NULL);
		return;
	case SHIM_HEALTH_KILL:
		task_kill(task, SIGKILL, true, NULL);
		return;
	case SHIM_HEALTH_STOP:
		restart_end(task, (int)h->check.stop_signal, timeout_ns);
		return;
	}
}

static void set_status(struct health *h, enum health_status status)
{
	if (h->record.status == status)
		return;
	h->record.status = status;
	task_tell(h->task, "health_status", "health", health_status_name(status));
}

/* The look has ended. */
static void conclude(struct health *h, int exit_code, const char *output, size_t len)
{
	enum health_status before = h->record.status;
	int64_t begun_ns = h->begun_ns;

	/* The output may be the probe's. */
	health_record_add(&h->record, begun_ns, clock_realtime_ns(), exit_code, output, len);
	h->ops->free(take_ptr(h->probe));
	h->timer = loop_remove(h->timer);
	if (exit_code == 0) {
		h->record.failing_streak = 0;
		set_status(h, HEALTH_HEALTHY);
	} else if (!in_start_period(h, begun_ns)) {
		h->record.failing_streak++;
		if (h->record.failing_streak >= h->check.retries)
			set_status(h, HEALTH_UNHEALTHY);
	}
	save(h);
	set_next(h);
	if (before != h->record.status && h->record.status == HEALTH_UNHEALTHY)
		act(h);
}

static void on_result(void *data, int exit_code, const char *output, size_t len)
{
	conclude(data, exit_code, output, len);
}

static void begin(struct health *h)
{
	struct err err = { 0 };

	if (!h->task->work)
		task_find_lost(h->task, NULL);
	/* A frozen process would be waited for in vain. */
	if (h->task->paused || h->task->work || !h->task->handle) {
		set_next(h);
		return;
	}
	h->begun_ns = clock_realtime_ns();
	/* Before, because a look may be over as soon as it begins. */
	set_timer(h, h->check.timeout_ns);
	if (h->ops->begin(h->task, &h->check, on_result, h, &h->probe, &err) < 0)
		conclude(h, -1, err.text, strlen(err.text));
}

static int on_timer(void *data)
{
	struct health *h = data;
	char text[64];
	int n;

	h->timer = NULL;
	if (!h->probe) {
		begin(h);
	} else if (h->task->paused || h->task->work) {
		/* It had no chance. */
		h->ops->free(take_ptr(h->probe));
		set_next(h);
	} else {
		n = snprintf(text, sizeof(text), "it took longer than %.1f s",
			     (double)h->check.timeout_ns / 1e9);
		conclude(h, -1, text, (size_t)n);
	}
	return 0;
}

void health_start(struct task *task)
{
	struct health *h = task->health;

	if (!h)
		return;
	h->record.failing_streak = 0;
	set_status(h, HEALTH_STARTING);
	save(h);
	set_next(h);
}

void health_resume(struct task *task)
{
	struct health *h = task->health;

	if (!h)
		return;
	if (h->ops->sweep)
		h->ops->sweep(task);
	health_record_deinit(&h->record);
	health_record_load(task->bundle, &h->record, NULL);
	if (h->record.status == HEALTH_NONE)
		health_start(task);
	else
		set_next(h);
}

void health_stop(struct task *task)
{
	struct health *h = task->health;

	if (!h)
		return;
	if (h->probe)
		h->ops->free(take_ptr(h->probe));
	h->timer = loop_remove(h->timer);
}
