/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/attach.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "cmd/ctr/detach_keys.h"
#include "cmd/ctr/pump.h"
#include "cmd/ctr/terminal.h"

#define SECOND_NS INT64_C(1000000000)
#define PIPE_NS (SECOND_NS / 5) /* between SIGPIPE and SIGKILL */
#define PATIENCE 3		/* so many SIGINT or SIGTERM, then we leave */

static const int passed_on[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH };

struct attach {
	const struct attach_options *options;
	struct shim_client *control, *waiter;
	struct loop *loop;
	struct loop_source *signals, *exit, *timer;
	struct pump in, out, err;
	int open_outputs; /* not at their end yet */
	bool exited, detached;
	struct detach_keys keys;
	unsigned impatience;
	struct shim_exit end;
};

static void fill_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(set, passed_on[i]);
}

void attach_block_signals(void)
{
	sigset_t set;

	fill_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The shim ends the outputs after all was written to them, so their end always comes. */
static void finish_when_done(struct attach *a)
{
	if (a->exited && a->open_outputs == 0)
		loop_quit(a->loop, 0);
}

static int on_exit_known(void *data, uint32_t events);

static void set_timer(struct attach *a, int64_t after_ns, loop_time_fn fn)
{
	a->timer = loop_remove(a->timer);
	loop_add_time(a->loop, clock_monotonic_ns() + after_ns, fn, a, &a->timer, NULL);
}

static int start_output(struct attach *a, struct pump *pump, int source, int sink, struct err *err);

/* The FIFOs are the same, and so is what lies in them: the end that we saw was of their writer. */
static int resume_outputs(struct attach *a)
{
	const struct engine_stdio *io = a->options->io;
	int r = 0;

	if (a->out.done && !a->out.draining)
		r = start_output(a, &a->out, io->stdout_fd, STDOUT_FILENO, NULL);
	if (r == 0 && a->err.done && !a->err.draining)
		r = start_output(a, &a->err, io->stderr_fd, STDERR_FILENO, NULL);
	return r;
}

/* The shim died; another one may hold the container. */
static int go_over(struct attach *a)
{
	int r;

	if (!a->options->find_next)
		return -ECONNRESET;
	a->control = a->waiter = NULL;
	r = a->options->find_next(a->options->data, &a->control, &a->waiter, &a->end);
	if (r > 0) {
		a->exited = true;
		finish_when_done(a);
	}
	/* That their writer had gone is no reason to leave, then. */
	a->timer = loop_remove(a->timer);
	if (r == 0)
		r = resume_outputs(a);
	if (r == 0)
		r = loop_add_fd(a->loop, shim_fd(a->waiter), EPOLLIN, on_exit_known, a, &a->exit,
				NULL);
	return r;
}

static int on_exit_known(void *data, uint32_t events)
{
	struct attach *a = data;
	int r;

	(void)events;
	a->exit = loop_remove(a->exit);
	r = shim_wait_finish(a->waiter, &a->end, NULL);
	if (r < 0) {
		r = go_over(a);
		if (r < 0)
			loop_quit(a->loop, r);
		return 0;
	}
	a->exited = true;
	a->timer = loop_remove(a->timer);
	finish_when_done(a);
	return 0;
}

static void send_signal(struct attach *a, int sig)
{
	/* It may just have ended; then the answer to Wait is on its way. */
	if (a->control)
		shim_kill(a->control, a->options->id, a->options->exec_id, sig, false, NULL);
}

static int on_pipe_ignored(void *data)
{
	struct attach *a = data;

	a->timer = NULL;
	send_signal(a, SIGKILL);
	return 0;
}

static int on_left_behind(void *data)
{
	struct attach *a = data;

	a->timer = NULL;
	loop_quit(a->loop, -EPIPE);
	return 0;
}

static void on_output_end(struct pump *pump, bool broken, void *data)
{
	struct attach *a = data;

	a->open_outputs--;
	/* A reader that has left is no failure. */
	if (broken && pump->error != EPIPE)
		fprintf(stderr, "ctr: write %s: %s; the rest of it is lost\n",
			pump == &a->out ? "stdout" : "stderr", strerror(pump->error));
	if (broken && !a->exited) {
		send_signal(a, SIGPIPE);
		set_timer(a, PIPE_NS, on_pipe_ignored);
	}
	finish_when_done(a);
	/* The end of the process follows at once, or there is none. */
	if (a->options->late && a->open_outputs == 0 && !a->exited)
		set_timer(a, SECOND_NS, on_left_behind);
}

static bool on_typed(struct pump *pump, char *data, size_t *len, void *filter_data)
{
	struct attach *a = filter_data;

	(void)pump;
	a->detached = a->options->terminal && detach_keys_filter(&a->keys, data, len);
	return a->detached;
}

static void on_input_end(struct pump *pump, bool broken, void *data)
{
	struct attach *a = data;
	struct engine_stdio *io = a->options->io;

	(void)broken;
	pump_stop(pump);
	if (a->detached) {
		loop_quit(a->loop, 0);
		return;
	}
	/* A raw terminal has no end of file but that of the terminal itself. */
	if (a->options->terminal) {
		loop_quit(a->loop, -EINTR);
		return;
	}
	/* With the last writer gone the FIFO is at its end; Docker's and containerd's shims need
	 * the call. */
	if (!a->options->late && a->control)
		shim_close_stdin(a->control, a->options->id, a->options->exec_id, NULL);
	if (io->stdin_fd >= 0)
		close(take_fd(&io->stdin_fd));
}

static void resize(struct attach *a)
{
	uint16_t width, height;

	if (a->control && a->options->terminal && terminal_size(&width, &height))
		shim_resize(a->control, a->options->id, a->options->exec_id, width, height, NULL);
}

static int on_signal(void *data, int sig)
{
	struct attach *a = data;

	if (sig == SIGWINCH) {
		resize(a);
		return 0;
	}
	if ((sig == SIGINT || sig == SIGTERM) && ++a->impatience >= PATIENCE) {
		loop_quit(a->loop, -EINTR);
		return 0;
	}
	send_signal(a, sig);
	/* Our terminal has gone, and we with it; what it was for may go on. */
	if (sig == SIGHUP && a->options->terminal)
		loop_quit(a->loop, -EINTR);
	return 0;
}

static int start_output(struct attach *a, struct pump *pump, int source, int sink, struct err *err)
{
	if (source < 0)
		return 0;
	*pump = (struct pump){
		.loop = a->loop, .source = source, .sink = sink, .ended = on_output_end, .data = a
	};
	a->open_outputs++;
	return pump_start(pump, err);
}

static int start_input(struct attach *a, struct err *err)
{
	if (a->options->io->stdin_fd < 0)
		return 0;
	a->in = (struct pump){ .loop = a->loop,
			       .source = STDIN_FILENO,
			       .sink = a->options->io->stdin_fd,
			       .ended = on_input_end,
			       .filter = on_typed,
			       .data = a };
	return pump_start(&a->in, err);
}

static int start(struct attach *a, struct err *err)
{
	struct engine_stdio *io = a->options->io;
	sigset_t set;
	int r;

	fill_signals(&set);
	sigaddset(&set, SIGQUIT);
	r = loop_add_signals(a->loop, &set, on_signal, a, &a->signals, err);
	if (r == 0)
		r = loop_add_fd(a->loop, shim_fd(a->waiter), EPOLLIN, on_exit_known, a, &a->exit,
				err);
	if (r == 0)
		r = start_output(a, &a->out, io->stdout_fd, STDOUT_FILENO, err);
	if (r == 0)
		r = start_output(a, &a->err, io->stderr_fd, STDERR_FILENO, err);
	if (r == 0)
		r = start_input(a, err);
	if (r == 0 && a->options->terminal && io->stdin_fd >= 0)
		r = terminal_make_raw(err);
	/* It may have changed since the process was made. */
	if (r == 0)
		resize(a);
	return r;
}

static void attach_deinit(struct attach *a)
{
	terminal_restore();
	pump_stop(&a->in);
	pump_stop(&a->out);
	pump_stop(&a->err);
	loop_remove(a->exit);
	loop_remove(a->signals);
	loop_free(a->loop);
}

int attach_tell_detached(const char *name)
{
	fprintf(stderr, "\r\nctr: detached; container %s goes on (`ctr attach %s`)\n", name, name);
	return 0;
}

int attach_run(const struct attach_options *options, struct shim_exit *ret, struct err *err)
{
	_cleanup_(attach_deinit) struct attach a = { .options = options,
						     .control = options->control,
						     .waiter = options->waiter };
	int r = detach_keys_parse(options->detach_keys ? options->detach_keys : DETACH_KEYS_DEFAULT,
				  &a.keys, err);

	if (r < 0)
		return err_add(err, "--detach-keys");
	r = loop_new(&a.loop, err);
	if (r == 0)
		r = start(&a, err);
	if (r < 0)
		return r;
	r = loop_run(a.loop, err);
	if (r == -EINTR)
		return err_say(err, EINTR, "left running");
	if (r == -EPIPE)
		return err_say(err, EPIPE,
			       "it was left behind: its output was not read for too long");
	if (r == 0 && a.detached)
		return 1;
	if (r < 0)
		return err_say(err, -r, "its supervisor died, so how it ends stays unknown");
	*ret = a.end;
	return 0;
}
