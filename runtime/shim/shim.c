/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/shim.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/shim/adopt.h"
#include "runtime/shim/end.h"
#include "runtime/shim/fifo_sweep.h"
#include "runtime/shim/methods.h"
#include "runtime/shim/trim.h"
#include "runtime/shim/upgrade.h"

#define FLUSH_EVENTS_MS 3000
#define FLUSH_ANSWERS_MS 1000
#define TRIM_AFTER_NS INT64_C(1000000000)
#define LEAVE_NS INT64_C(2000000000)
#define FIRST_CLIENT_NS INT64_C(10000000000)

/* ctr's executed processes whose client has gone: nobody will delete them. */
static void forget_execs(struct shim *shim)
{
	for (struct task *task = shim->tasks; task; task = task->next) {
		struct process *p = task->durable ? NULL : task->execs, *next;

		for (; p; p = next) {
			next = p->next;
			if (p->reported || p->status == PROCESS_CREATED)
				process_free(p);
		}
	}
}

static void on_closed(void *data)
{
	struct shim *shim = data;

	create_drop_abandoned(shim);
	if (server_connections(shim->server) == 0)
		forget_execs(shim);
	fifo_sweep_soon(shim);
	for (struct task *task = shim->tasks; task; task = task->next)
		task_finish(task);
	shim_check_end(shim);
}

/* hot: trim.c */
__attribute__((hot)) static int on_idle(void *data)
{
	struct shim *shim = data;

	shim->trim = NULL;
	if (shim->trim_again)
		shim_trim_soon(shim);
	trim_memory();
	return 0;
}

/* One timer for all that is asked for: what came after it was set is given back by the next. */
void shim_trim_soon(struct shim *shim)
{
	shim->trim_again = shim->trim != NULL;
	if (!shim->trim)
		loop_add_time(shim->loop, clock_monotonic_ns() + TRIM_AFTER_NS, on_idle, shim,
			      &shim->trim, NULL);
}

static void on_request(void *data, struct rpc_call *call, const Ttrpc__Request *request)
{
	struct shim *shim = data;

	shim->first_client = loop_remove(shim->first_client);
	shim_trim_soon(shim);
	methods_dispatch(shim, call, request);
}

static void on_abandoned(void *data)
{
	create_drop_abandoned(data);
}

static const struct server_ops server_ops = {
	.request = on_request,
	.closed = on_closed,
	.abandoned = on_abandoned,
};

int shim_init(struct shim *shim, struct loop *loop, const struct shim_options *options,
	      int listen_fd, struct err *err)
{
	int r;

	*shim = (struct shim){ .options = options, .loop = loop };
	r = server_new(loop, listen_fd, &server_ops, shim, &shim->server, err);
	if (r == 0)
		r = events_new(loop, options->ttrpc_address, options->namespace_, &shim->events,
			       err);
	if (r == 0)
		r = reaper_new(loop, &shim->reaper, err);
	if (r < 0)
		shim_deinit(shim);
	return r;
}

void shim_deinit(struct shim *shim)
{
	shim->trim = loop_remove(shim->trim);
	shim->sweep = loop_remove(shim->sweep);
	shim->first_client = loop_remove(shim->first_client);
	shim->leaving = loop_remove(shim->leaving);
	shim->upgrade_turn = loop_remove(shim->upgrade_turn);
	free(take_ptr(shim->upgrade_binary));
	if (shim->upgrade)
		rpc_fail(take_ptr(shim->upgrade), TTRPC_UNKNOWN, NULL);
	while (shim->creating)
		task_free(shim->creating);
	while (shim->tasks)
		task_free(shim->tasks);
	shim->server = server_free(shim->server);
	shim->events = events_free(shim->events);
	shim->reaper = reaper_free(shim->reaper);
}

void shim_stop_listening(struct shim *shim)
{
	if (shim->unlisted)
		return;
	shim->unlisted = true;
	/* The name first: a shim that takes our place binds it as soon as nobody answers there. */
	if (shim->options->socket_path)
		unlink(shim->options->socket_path);
	server_stop_listening(shim->server);
}

static void leave(void *data)
{
	struct shim *shim = data;

	loop_quit(shim->loop, 0);
}

void shim_end(struct shim *shim)
{
	if (shim->ending)
		return;
	shim->ending = true;
	if (events_flush(shim->events, FLUSH_EVENTS_MS, leave, shim) < 0)
		leave(shim);
}

static int on_leave(void *data)
{
	struct shim *shim = data;

	shim->leaving = NULL;
	if (!shim->tasks && !shim->creating)
		shim_end(shim);
	return 0;
}

void shim_leave(struct shim *shim)
{
	shim->leaving = loop_remove(shim->leaving);
	if (shim->tasks || server_connections(shim->server) <= 1 ||
	    loop_add_time(shim->loop, clock_monotonic_ns() + LEAVE_NS, on_leave, shim,
			  &shim->leaving, NULL) < 0)
		shim_end(shim);
}

void shim_check_end(struct shim *shim)
{
	/* Nobody is left who could call it off. */
	if (shim->leaving && server_connections(shim->server) == 0) {
		shim->leaving = loop_remove(shim->leaving);
		on_leave(shim);
	}
	if (shim->ending || server_connections(shim->server) ||
	    !server_had_connection(shim->server))
		return;
	if (shim->durable || shim->creating)
		return;
	for (const struct task *task = shim->tasks; task; task = task->next)
		if (!task->init.reported || !task->exit_path || task->exit_timer ||
		    !task_is_drained(task))
			return;
	shim_end(shim);
}

/* Nobody ever came. */
static int on_first_client_timeout(void *data)
{
	struct shim *shim = data;

	shim->first_client = NULL;
	if (!server_had_connection(shim->server))
		shim_end(shim);
	return 0;
}

/* A shim with a container outlives whoever tells all processes to end: its container is told too.
 */
static int on_signal(void *data, int signal)
{
	struct shim *shim = data;

	(void)signal;
	if (!shim->tasks && !shim->creating)
		shim_end(shim);
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

static int watch_signals(struct shim *shim, struct loop_source **ret, struct err *err)
{
	/* A handler and not SIG_IGN, which would be inherited by what we execute. */
	struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	sigset_t set;

	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL); /* a limit on files is an error of write */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return loop_add_signals(shim->loop, &set, on_signal, shim, ret, err);
}

static int serve(struct loop *loop, const struct shim_options *options, int listen_fd,
		 struct err *err)
{
	struct loop_source *signals = NULL;
	struct shim shim;
	int r = shim_init(&shim, loop, options, listen_fd, err);

	if (r < 0)
		return r;
	r = watch_signals(&shim, &signals, err);
	if (r == 0)
		r = loop_add_time(loop, clock_monotonic_ns() + FIRST_CLIENT_NS,
				  on_first_client_timeout, &shim, &shim.first_client, err);
	if (r == 0 && options->upgrade)
		r = upgrade_restore(&shim, options->upgrade, err);
	if (r == 0 && options->adopt)
		r = adopt_task(&shim, options->adopt, err);
	/* Of clients that went while nobody looked. */
	if (options->upgrade || options->adopt)
		fifo_sweep_soon(&shim);
	if (r == 0)
		r = loop_run(loop, err);
	/* Whoever connects from here on shall be refused, not kept waiting. */
	shim_stop_listening(&shim);
	server_drain(shim.server, FLUSH_ANSWERS_MS);
	loop_remove(signals);
	shim_deinit(&shim);
	return r;
}

int shim_serve(const struct shim_options *options, int listen_fd, struct err *err)
{
	struct loop *loop;
	int r = loop_new(&loop, err);

	if (r < 0) {
		close(listen_fd);
		return r;
	}
	r = serve(loop, options, listen_fd, err);
	loop_free(loop);
	return r;
}
