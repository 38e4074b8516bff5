/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "isolation/launch_parts.h"

#define STALL_MS 1000

static const char *const step_names[] = {
#define STEP_NAME(name, text) text,
	INIT_STEPS(STEP_NAME)
#undef STEP_NAME
};

/* A launch under way. */
struct state {
	const struct launch_options *options;
	const struct plan *plan;
	struct launch_fds *fds;
	struct launch l;
	int stage_pidfd; /* of the stage that clones the process itself, while there is one */
};

static void reap(int *pidfd)
{
	int status;

	if (*pidfd < 0)
		return;
	process_pidfd_signal(*pidfd, SIGKILL);
	process_wait(*pidfd, &status);
	close(take_fd(pidfd));
}

static int map_ids(struct state *s, struct err *err)
{
	if (!(s->plan->flags & PLAN_USER_NAMESPACE))
		return 0;
	err_try(launch_write_maps(s->l.pid, s->plan, err));
	err_try(launch_fds_idmap(s->fds, s->plan, s->l.pid, err));
	return launch_send(s->l.sync_fd, SYNC_MAPPED, NULL, 0, err);
}

/*
 * The process itself exists. It has the socket, too, and may be traced from inside already: what it
 * says in the stage's place must not make us take the host's init for it.
 */
static int on_child(struct state *s, int pid, int pidfd, struct err *err)
{
	int status = 0;

	if (s->stage_pidfd < 0 || pidfd < 0 || pid <= 0 || !process_is_child(pid, pidfd)) {
		cleanup_fd(&pidfd);
		return err_say(err, EPROTO, "cellar-init cloned a process nobody asked for");
	}
	process_wait(s->stage_pidfd, &status);
	close(take_fd(&s->stage_pidfd));
	s->l.pid = pid;
	s->l.pidfd = pidfd;
	err_try(launch_set_oom_score(pid, s->plan, err));
	return map_ids(s, err);
}

/* Before it was told of, its pid and pidfd are not known. */
static int check_child(const struct state *s, struct err *err)
{
	if (s->stage_pidfd < 0)
		return 0;
	return err_say(err, EPROTO, "cellar-init spoke before its process was announced");
}

static int make_state(struct state *s, enum oci_status status, bool wanted, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (!wanted || !s->options->hook_state)
		return launch_memfd("state", "{}\n", 3, err);
	err_try(s->options->hook_state(s->options->hooks_data, s->l.pid, status, &text, err));
	return launch_memfd("state", text, strlen(text), err);
}

static int on_hooks(struct state *s, struct err *err)
{
	_cleanup_fd_ int create = -1, start = -1;

	if (s->options->hooks)
		err_try(s->options->hooks(s->options->hooks_data, s->l.pid, err));
	if (s->plan->create_hooks.count == 0 && s->plan->start_hooks.count == 0)
		return launch_send(s->l.sync_fd, SYNC_HOOKS_DONE, NULL, 0, err);
	create = make_state(s, OCI_CREATING, s->plan->create_hooks.count > 0, err);
	if (create < 0)
		return create;
	start = make_state(s, OCI_CREATED, s->plan->start_hooks.count > 0, err);
	if (start < 0)
		return start;
	return launch_send(s->l.sync_fd, SYNC_HOOKS_DONE, (int[]){ create, start }, 2, err);
}

static int on_listener(struct state *s, struct err *err)
{
	_cleanup_fd_ int socket = -1, state = -1;
	_cleanup_free_ char *text = NULL;

	if (!s->options->listener || !(s->plan->flags & PLAN_LISTENER))
		return err_say(err, EPROTO, "cellar-init has a seccomp listener for nobody");
	err_try(s->options->listener(s->options->hooks_data, s->l.pid, &socket, &text, err));
	state = launch_memfd("state", text, strlen(text), err);
	if (state < 0)
		return state;
	return launch_send(s->l.sync_fd, SYNC_LISTENER_DONE, (int[]){ socket, state }, 2, err);
}

static int on_ready(struct state *s, int limits_refused, int console_fd, struct err *err)
{
	s->l.console_fd = console_fd;
	s->l.started = s->fds->begin.start_early && limits_refused == 0;
	if (limits_refused > 0)
		err_try(launch_set_limits(s->l.pid, s->plan, err));
	if (s->options->exec_fifo_fd >= 0)
		close(take_fd(&s->l.sync_fd));
	return 0;
}

/* Init ended without a word: what ended it? */
static int explain_end(struct state *s, struct err *err)
{
	int *pidfd = s->l.pidfd >= 0 ? &s->l.pidfd : &s->stage_pidfd, status = 0;

	if (*pidfd >= 0 && process_wait(*pidfd, &status) == 0) {
		close(take_fd(pidfd));
		if (WIFSIGNALED(status))
			return err_say(
				err, WTERMSIG(status) == SIGKILL ? ENOMEM : EIO,
				"the container's first process was killed by signal %d%s",
				WTERMSIG(status),
				WTERMSIG(status) == SIGKILL
					? " while it was set up (is its memory limit too low?)"
					: "");
	}
	return err_say(err, EIO, "the container's first process ended with status %d",
		       WEXITSTATUS(status));
}

/*
 * The next message. A stage that dies before it has told its child's pid would leave that child
 * holding the socket, so here its end counts, too: 0, and our end of the socket ends the child.
 */
static int receive(struct state *s, struct sync_message *ret, int *ret_fd, struct err *err)
{
	const struct launch_options *o = s->options;
	struct pollfd fds[] = { { s->l.sync_fd, POLLIN, 0 }, { s->stage_pidfd, POLLIN, 0 } };
	bool heard = s->stage_pidfd < 0 && !o->stalled;

	while (!heard) {
		int r = poll(fds, 2, o->stalled ? STALL_MS : -1);

		if (r < 0 && errno != EINTR)
			return err_set(err, errno, "wait for cellar-init");
		if (r == 0)
			err_try(o->stalled(o->hooks_data, s->l.pid, err));
		heard = r > 0;
	}
	if (fds[1].revents && !fds[0].revents)
		return 0;
	return launch_receive(s->l.sync_fd, ret, ret_fd, err);
}

static int converse(struct state *s, struct err *err)
{
	for (;;) {
		struct sync_message message = { 0 };
		_cleanup_fd_ int fd = -1;
		int r = receive(s, &message, &fd, err);

		if (r == 0)
			return explain_end(s, err);
		if (r < 0) {
			if (message.type == SYNC_FAILED && message.step < INIT_STEP_COUNT)
				log_debug("cellar-init failed at: %s", step_names[message.step]);
			return r;
		}
		switch (message.type) {
		case SYNC_CHILD:
			err_try(on_child(s, message.value, take_fd(&fd), err));
			break;
		case SYNC_HOOKS:
			err_try(check_child(s, err));
			err_try(on_hooks(s, err));
			break;
		case SYNC_LISTENER:
			err_try(check_child(s, err));
			err_try(on_listener(s, err));
			break;
		case SYNC_READY:
			err_try(check_child(s, err));
			return on_ready(s, message.value, take_fd(&fd), err);
		default:
			return err_say(err, EPROTO, "cellar-init said %u", message.type);
		}
	}
}

static int clone_and_converse(struct state *s, struct err *err)
{
	_cleanup_fd_ int theirs = -1;
	int pair[2], *pidfd = s->plan->flags & PLAN_STAGE ? &s->stage_pidfd : &s->l.pidfd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket pair");
	s->l.sync_fd = pair[0];
	theirs = pair[1];
	err_try(launch_clone(s->options, theirs, &s->l.pid, pidfd, err));
	close(take_fd(&theirs));
	if (!(s->plan->flags & PLAN_STAGE)) {
		err_try(launch_set_oom_score(s->l.pid, s->plan, err));
		err_try(map_ids(s, err));
	}
	err_try(launch_send_plan(s->l.sync_fd, s->plan, s->fds, err));
	return converse(s, err);
}

int launch_create(const struct launch_options *options, struct launch *ret, struct err *err)
{
	struct launch_fds fds = { 0 };
	struct state s = { .options = options,
			   .plan = options->plan,
			   .fds = &fds,
			   .l = LAUNCH_NONE,
			   .stage_pidfd = -1 };
	struct err own = { 0 };
	int r;

	if (!err)
		err = &own;
	launch_warn_capabilities(s.plan);
	err_try(launch_fds_open(options, &fds, err));
	fds.begin.start_early = options->start_early && !(s.plan->flags & PLAN_OOM_SCORE_ADJ);
	r = clone_and_converse(&s, err);
	launch_fds_close(&fds);
	if (r < 0) {
		reap(&s.l.pidfd);
		reap(&s.stage_pidfd);
		launch_deinit(&s.l);
		return r;
	}
	*ret = s.l;
	return 0;
}

int launch_release(struct launch *launch, struct err *err)
{
	bool announced = false;

	if (!launch->started)
		err_try(launch_send(launch->sync_fd, SYNC_START, NULL, 0, err));
	for (;;) {
		struct sync_message message = { 0 };
		_cleanup_fd_ int fd = -1;
		int r = launch_receive(launch->sync_fd, &message, &fd, err);

		if (r > 0) {
			announced |= message.type == SYNC_EXECUTING;
			continue;
		}
		close(take_fd(&launch->sync_fd));
		if (r == 0 && !announced)
			return err_say(err, EIO,
				       "the container's first process died before its "
				       "program was executed");
		return r;
	}
}

void launch_deinit(struct launch *launch)
{
	if (launch->pidfd >= 0)
		close(take_fd(&launch->pidfd));
	if (launch->sync_fd >= 0)
		close(take_fd(&launch->sync_fd));
	if (launch->console_fd >= 0)
		close(take_fd(&launch->console_fd));
}
