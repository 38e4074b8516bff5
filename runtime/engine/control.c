/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to containers, and their end: by the shim, and without one where it was killed. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "runtime/container.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/shim/client.h"

#define SHIM_PATIENCE_MS 10000

/* The shim was killed or hangs; the runtime's state tells who is meant. */
static int kill_without_shim(struct engine *engine, const struct engine_container *container,
			     int signal, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	int r = container_open(engine->runroot, container->id, &c, err);

	return r < 0 ? r : container_kill(c, signal, false, err);
}

int engine_kill(struct engine *engine, const struct engine_container *container, int signal,
		bool final, struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	int r;

	if (!container->pid && strcmp(container->status, "restarting") != 0)
		return err_say(err, ESRCH, "container %s is not running", container->name);
	r = engine_connect(engine, container, &client, NULL);
	if (r == 0) {
		r = final ? shim_kill_finally(client, container->id, signal, false, err)
			  : shim_kill(client, container->id, NULL, signal, false, err);
		if (r != -ETIMEDOUT && r != -ECONNRESET)
			return r < 0 ? err_add(err, "container %s", container->name) : 0;
		err_clear(err);
	}
	r = kill_without_shim(engine, container, signal, err);
	return r < 0 ? err_add(err, "container %s", container->name) : 0;
}

static int poll_again(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int r;

	do
		r = poll(fds, count, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Until the shim has answered: >0, 0 after the time. A process that has ended and of which the shim
 * tells nothing is -ETIMEDOUT: the shim hangs. */
static int await_answer(int shim_fd, int pidfd, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = shim_fd, .events = POLLIN },
				{ .fd = pidfd, .events = POLLIN } };
	int r = poll_again(fds, 2, timeout_ms);

	if (r <= 0 || fds[0].revents)
		return r;
	r = poll_again(fds, 1, SHIM_PATIENCE_MS);
	return r == 0 ? -ETIMEDOUT : r;
}

/* 1 when it has ended, 0 after the time, <0 when the shim cannot tell. */
static int wait_by_shim(struct engine *engine, const struct engine_container *container,
			int timeout_ms, struct engine_exit *ret)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	struct shim_exit end;
	/* Without one (-1) the shim alone is asked. */
	_cleanup_fd_ int pidfd = container->pid ? process_pidfd_open(container->pid) : -1;
	int r = engine_connect(engine, container, &client, NULL);

	if (r == 0)
		r = shim_wait_begin(client, container->id, NULL, NULL);
	if (r == 0)
		r = await_answer(shim_fd(client), pidfd, timeout_ms);
	if (r <= 0)
		return r;
	r = shim_wait_finish(client, &end, NULL);
	if (r < 0)
		return r;
	*ret = (struct engine_exit){ .code = end.unknown ? -1 : (int)end.status,
				     .oom_killed = end.oom_killed };
	return 1;
}

/* For a process that is not our child and whose shim is gone. */
static int wait_by_pid(pid_t pid, int timeout_ms)
{
	_cleanup_fd_ int pidfd = process_pidfd_open(pid);
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 ? 1 : poll_again(&fd, 1, timeout_ms);
}

static int wait_without_shim(struct engine *engine, const struct engine_container *container,
			     int timeout_ms, struct engine_exit *ret, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *now = NULL;
	int r = engine_find(engine, container->id, &now, err);

	if (r == 0 && now->pid) {
		r = wait_by_pid(now->pid, timeout_ms);
		if (r <= 0)
			return r < 0 ? err_set(err, -r, "wait for container %s", now->name) : 0;
		now = engine_container_free(now);
		r = engine_find(engine, container->id, &now, err);
	}
	if (r < 0)
		return r;
	if (strcmp(now->status, "created") == 0)
		return err_say(err, ESRCH, "container %s was never started", now->name);
	*ret = (struct engine_exit){ .code = now->exit_code, .oom_killed = now->oom_killed };
	/* What its shim would have done. */
	engine_release(engine->root, engine->runroot, container->id);
	return 1;
}

int engine_wait(struct engine *engine, const struct engine_container *container, int timeout_ms,
		struct engine_exit *ret, struct err *err)
{
	int r = wait_by_shim(engine, container, timeout_ms, ret);

	return r >= 0 ? r : wait_without_shim(engine, container, timeout_ms, ret, err);
}
