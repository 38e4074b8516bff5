/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/restart.h"
#include "runtime/shim/settle.h"
#include "runtime/shim/shim.h"

#define SECOND_NS INT64_C(1000000000)
#define BOOT_ID_SIZE 40

struct deadline {
	struct task *task;
	int64_t boot_ns;
	bool pauses;
	bool stale; /* of another boot */
	int fd;	    /* the timer; -1 before it begins */
	struct loop_source *source;
};

static int64_t boot_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static const char *boot_id(void)
{
	static char id[BOOT_ID_SIZE];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	if (*id)
		return id;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, id, sizeof(id) - 1);
	id[n > 0 ? n : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	return id;
}

struct deadline *deadline_free(struct deadline *d)
{
	if (!d)
		return NULL;
	loop_remove(d->source);
	cleanup_fd(&d->fd);
	free(d);
	return NULL;
}

static int end_running(struct task *task, bool pauses, struct err *err)
{
	if (pauses && (task->paused || task_freeze(task, true, err) == 0))
		return 0;
	/* What cannot be frozen must not go on either. */
	if (!pauses || err->code)
		restart_forbid(task);
	return task_kill(task, SIGKILL, true, pauses ? NULL : err);
}

/* From a checkpoint, of which no process exists that we could kill. */
static bool is_to_be_restored(const struct task *task)
{
	return task->checkpoint && task->init.status == PROCESS_CREATED && !task->handle &&
	       !task->lost;
}

static void expire(struct task *task, bool pauses)
{
	struct err err = { 0 };
	int r = 0;

	task_find_lost(task, NULL);
	pauses = pauses && task->handle && task->init.status == PROCESS_RUNNING;
	if (task->init.reported)
		return;
	log_warn("container %s: its owner's deadline has passed", task->id);
	if (task->log)
		shim_log_note(task->log, "the owner's deadline has passed: the container is %s",
			      pauses ? "paused" : "killed");
	if (!pauses)
		restart_forbid(task);
	/* There is nothing to kill yet. */
	if (is_to_be_restored(task))
		start_cancel(task, "was not restored before its owner's deadline");
	else if ((task->handle || task->lost) && task->init.status != PROCESS_STOPPED)
		r = end_running(task, pauses, &err);
	if (r < 0)
		log_error("%s", err.text);
}

/* No timer any more, but it has passed. */
static void disarm(struct deadline *d)
{
	d->source = loop_remove(d->source);
	cleanup_fd(&d->fd);
	d->fd = -1;
}

static int on_timer(void *data, uint32_t events)
{
	struct task *task = data;
	bool pauses = task->deadline->pauses;

	(void)events;
	/* A Start may be yet to come, and must be refused. */
	if (is_to_be_restored(task))
		disarm(task->deadline);
	else
		task->deadline = deadline_free(task->deadline);
	expire(task, pauses);
	/* Only now is it forgotten: who dies before leaves it to the next. It may have ended and
	 * taken the task's log along, but not the task. */
	restart_save(task);
	return 0;
}

static int begin(struct deadline *d, struct err *err)
{
	struct itimerspec at = {
		.it_value.tv_sec = d->boot_ns / SECOND_NS,
		.it_value.tv_nsec = d->boot_ns % SECOND_NS,
	};

	d->fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (d->fd < 0 || timerfd_settime(d->fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		return err_set(err, errno, "set the deadline of container %s", d->task->id);
	return loop_add_fd(d->task->shim->loop, d->fd, EPOLLIN, on_timer, d->task, &d->source, err);
}

static struct deadline *make(struct task *task, int64_t boot_ns, bool pauses)
{
	struct deadline *d = calloc(1, sizeof(*d));

	if (d)
		*d = (struct deadline){ task, boot_ns, pauses, false, -1, NULL };
	return d;
}

int deadline_set(struct task *task, int64_t in_ns, bool pauses, struct err *err)
{
	struct deadline *old = task->deadline, *d = NULL;
	int r = 0;

	if (in_ns) {
		d = make(task, boot_now() + in_ns, pauses);
		r = d ? begin(d, err) : err_set(err, ENOMEM, "set a deadline");
	}
	task->deadline = d;
	if (r == 0)
		r = restart_try_save(task, err);
	/* The one before holds on, then. */
	if (r < 0) {
		task->deadline = old;
		old = d;
	}
	deadline_free(old);
	return r;
}

bool deadline_has_passed(const struct task *task)
{
	const struct deadline *d = task->deadline;

	return d && (d->stale || d->boot_ns <= boot_now());
}

void deadline_save(const struct task *task, Journal__State *state)
{
	if (!task->deadline)
		return;
	state->deadline_boot_ns = task->deadline->boot_ns;
	state->deadline_pauses = task->deadline->pauses;
	state->boot_id = proto_string(boot_id());
}

void deadline_load(struct task *task, const Journal__State *state)
{
	if (!state->deadline_boot_ns)
		return;
	task->deadline = make(task, state->deadline_boot_ns, state->deadline_pauses);
	if (task->deadline)
		task->deadline->stale = strcmp(state->boot_id, boot_id()) != 0;
}

void deadline_resume(struct task *task)
{
	struct deadline *d = task->deadline;
	struct err err = { 0 };

	if (!d)
		return;
	if (d->stale || d->boot_ns <= boot_now()) {
		on_timer(task, 0);
	} else if (begin(d, &err) < 0) {
		log_error("%s", err.text);
		on_timer(task, 0);
	}
}
