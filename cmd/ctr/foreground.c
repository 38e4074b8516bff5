/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/foreground.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctr/attach.h"
#include "cmd/ctr/next_shim.h"
#include "runtime/engine/quantity.h"

#define REMOVAL_WAIT_MS 30000
#define FAILURE_WAIT_MS 10000

void foreground_deinit(struct foreground *fg)
{
	shim_close(fg->control);
	shim_close(fg->waiter);
	engine_stdio_close(&fg->io);
	engine_container_free(fg->container);
	engine_close(fg->engine);
}

/* With --rm the shim removes the container and then hangs up: what ctr run leaves is nothing. */
static void await_removal(const struct foreground *fg)
{
	struct pollfd fd = { .fd = fg->control ? shim_fd(fg->control) : -1, .events = POLLIN };
	char rest[64];

	while (fd.fd >= 0 && fg->container->auto_remove && poll(&fd, 1, REMOVAL_WAIT_MS) > 0)
		if (read(fd.fd, rest, sizeof(rest)) <= 0)
			break;
}

/* What could not be executed is found out as soon as the container is made; the Task API carries no
 * errno, so the runtime's words tell, as they do to Docker. */
int foreground_code_of_failure(const struct err *err)
{
	const char *exec = strstr(err->text, "exec: \"");

	if (!exec)
		return EXIT_OURS;
	return strstr(exec, "not found") || strstr(exec, "o such file") ? EXIT_NOT_FOUND
									: EXIT_NOT_EXECUTABLE;
}

/* A start that failed tells by the container's exit status why: 126, 127. */
static int fail_start(struct foreground *fg, const struct err *err)
{
	struct pollfd fd = { .fd = shim_fd(fg->waiter), .events = POLLIN };
	struct shim_exit end = { .status = EXIT_OURS };

	if (poll(&fd, 1, FAILURE_WAIT_MS) > 0)
		shim_wait_finish(fg->waiter, &end, NULL);
	await_removal(fg);
	if (fg->cidfile && fg->container->auto_remove)
		unlink(fg->cidfile);
	ctr_complain(fg->verb, err);
	return end.status == EXIT_NOT_EXECUTABLE || end.status == EXIT_NOT_FOUND ? (int)end.status
										 : EXIT_OURS;
}

static void report_oom(const struct foreground *fg)
{
	char limit[QUANTITY_TEXT_SIZE] = "its limit";

	if (fg->container->limits.memory_bytes)
		quantity_format_bytes((uint64_t)fg->container->limits.memory_bytes, limit);
	fprintf(stderr, "ctr: container %s: OOM-killed at %s\n", fg->container->name, limit);
}

static struct next_shim shims_of(struct foreground *fg)
{
	return (struct next_shim){ .engine = fg->engine,
				   .container = fg->container,
				   .control = &fg->control,
				   .waiter = &fg->waiter };
}

/* attach_options.find_next */
static int find_next_shim(void *data, struct shim_client **ret_control,
			  struct shim_client **ret_waiter, struct shim_exit *ret)
{
	struct foreground *fg = data;
	struct next_shim next = shims_of(fg);
	int r = next_shim_find(&next, ret);

	if (r != 0)
		return r;
	*ret_control = fg->control;
	*ret_waiter = fg->waiter;
	return 0;
}

static int stay(struct foreground *fg, struct err *err)
{
	struct attach_options attach = {
		.control = fg->control,
		.waiter = fg->waiter,
		.id = fg->container->id,
		.io = &fg->io,
		.terminal = fg->container->terminal,
		.detach_keys = fg->detach_keys,
		.find_next = find_next_shim,
		.data = fg,
	};
	struct shim_exit end;
	int r = attach_run(&attach, &end, err);

	if (r == -EINTR)
		return err_say(err, EINTR,
			       "container %s goes on running; end it by `ctr stop %s`, or by `ctr "
			       "kill %s`",
			       fg->container->name, fg->container->name, fg->container->name);
	if (r < 0)
		return err_add(err, "container %s", fg->container->name);
	if (r > 0)
		return attach_tell_detached(fg->container->name);
	await_removal(fg);
	if (end.unknown)
		return err_say(err, ENODATA,
			       "container %s has ended; its supervisor was killed, so its exit "
			       "status is unknown",
			       fg->container->name);
	/* A container may survive what happened to one of its processes. */
	if (end.oom_killed && end.status)
		report_oom(fg);
	return (int)end.status;
}

int foreground_start(struct foreground *fg, struct err *err)
{
	struct next_shim shims = shims_of(fg);
	int r = next_shim_connect(&shims, fg->container, err);

	if (r < 0)
		return r;
	if (engine_start(fg->engine, fg->container, fg->control, err) < 0)
		return fail_start(fg, err);
	if (!fg->detach)
		return stay(fg, err);
	puts(fg->told ? fg->told : fg->container->id);
	return 0;
}
