/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, and ending, with the help of a container's shim. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "runtime/engine/adopt.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/shim_process.h"
#include "runtime/shim/client.h"

#define EXIT_WAIT_MS 10000
#define NEWS_WAIT_MS 1000

int engine_connect(struct engine *engine, const struct engine_container *container,
		   struct shim_client **ret, struct err *err)
{
	int r;

	if (!container->shim_address)
		return err_say(err, ENOENT, "container %s has no shim: it was never started",
			       container->name);
	r = shim_connect(container->shim_address, ret, err);
	if (r == -ECONNREFUSED || r == -ENOENT) {
		int code = -r;

		err_clear(err);
		r = engine_adopt(engine, container, ret, err);
		return r == -ENOENT
			       ? err_say(err, code, "container %s is not running", container->name)
			       : r;
	}
	return r < 0 ? err_add(err, "container %s", container->name) : 0;
}

static int mark_started(const struct engine_container *container, struct err *err)
{
	_cleanup_fd_ int dirfd = dir_open(AT_FDCWD, container->dir, err), fd = -1;
	char time[CLOCK_RFC3339_SIZE];
	int r;

	if (dirfd < 0)
		return dirfd;
	fd = openat(dirfd, LAYOUT_STARTED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "create %s/" LAYOUT_STARTED, container->dir);
	clock_format(clock_realtime_ns(), time);
	r = fd_write_all(fd, time, strlen(time));
	return r < 0 ? err_set(err, -r, "write %s/" LAYOUT_STARTED, container->dir) : 0;
}

static void unmark_started(const struct engine_container *container)
{
	_cleanup_fd_ int dirfd = dir_open(AT_FDCWD, container->dir, NULL);

	if (dirfd >= 0)
		unlinkat(dirfd, LAYOUT_STARTED, 0);
}

/* Somebody else started it. */
static bool was_started(const struct engine_container *container, struct shim_client *client)
{
	struct shim_state now = { 0 };

	return shim_state(client, container->id, NULL, &now, NULL) == 0 &&
	       now.status != SHIM_CREATED && now.status != SHIM_UNKNOWN;
}

int engine_start(struct engine *engine, const struct engine_container *container,
		 struct shim_client *client, struct err *err)
{
	int r;

	(void)engine;
	/* Before the start: once it runs, its shim may remove the folder at any time. Whether it
	 * did start is told by the runtime's state, which counts more. */
	r = mark_started(container, err);
	if (r < 0)
		return r;
	r = shim_start(client, container->id, NULL, NULL, err);
	if (r == -EBUSY && was_started(container, client)) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		unmark_started(container);
	return r;
}

static bool is_alive(const struct engine_container *container)
{
	return strcmp(container->status, "running") == 0 ||
	       strcmp(container->status, "restarting") == 0 ||
	       strcmp(container->status, "paused") == 0;
}

/* -ETIMEDOUT when the shim does not tell of the end. */
static int wait_for_exit(const struct engine_container *container, struct shim_client *client,
			 int timeout_ms)
{
	struct shim_exit status;
	struct pollfd fd = { .fd = shim_fd(client), .events = POLLIN };
	int r = shim_wait_begin(client, container->id, NULL, NULL);

	if (r < 0)
		return r;
	if (poll(&fd, 1, timeout_ms) == 0)
		return -ETIMEDOUT;
	return shim_wait_finish(client, &status, NULL);
}

/* The shim ends by itself once its container has ended and nobody is connected. It may be gone, or
 * be about to go: what it leaves undone engine_remove() does. One that hangs is killed. */
static int end_shim(struct engine *engine, const struct engine_container *container, bool force,
		    struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL, *waiter = NULL;
	struct shim_state now = { 0 };
	bool alive;
	int r = engine_connect(engine, container, &client, NULL);

	if (r == 0)
		r = engine_connect(engine, container, &waiter, NULL);
	if (r == 0)
		r = shim_state(client, container->id, NULL, &now, NULL);
	/* It knows better than files that may be damaged; but of a death it may hear only now. */
	alive = now.status == SHIM_RUNNING || now.status == SHIM_PAUSED || now.restarting;
	if (!force && alive && strcmp(container->status, "exited") == 0)
		alive = wait_for_exit(container, waiter, NEWS_WAIT_MS) < 0;
	if (!force && alive)
		return err_say(err, EBUSY,
			       "it is running; stop it first, or remove it by force (-f)");
	if (waiter && r != -ETIMEDOUT)
		r = shim_kill_finally(client, container->id, SIGKILL, true, NULL);
	if (waiter && r != -ETIMEDOUT)
		r = wait_for_exit(container, waiter, EXIT_WAIT_MS);
	return r == -ETIMEDOUT ? shim_process_kill(container->id, err) : 0;
}

int engine_destroy(struct engine *engine, const struct engine_container *container, unsigned flags,
		   struct err *err)
{
	bool force = flags & ENGINE_REMOVE_FORCE;
	int r;

	if (is_alive(container) && !force)
		return err_say(err, EBUSY,
			       "container %s is %s; stop it first, or remove it by force (-f)",
			       container->name, container->status);
	if (strcmp(container->status, "damaged") == 0 && !force)
		return err_say(err, EBUSY, "container %s is damaged (%s); remove it by force (-f)",
			       container->name, container->damage);
	r = end_shim(engine, container, force, err);
	if (r < 0)
		return err_add(err, "container %s", container->name);
	r = engine_remove(engine->root, engine->runroot, container->id, flags, err);
	/* It may be the shim that keeps it locked and hangs. */
	if (r == -EBUSY && force && shim_process_kill(container->id, NULL) > 0) {
		err_clear(err);
		r = engine_remove(engine->root, engine->runroot, container->id, flags, err);
	}
	return r;
}
