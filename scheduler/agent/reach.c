/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/program.h"
#include "scheduler/agent/inside.h"

/* The master has fewer: what is more was not asked for by anybody. */
#define HELPERS_MAX 64
#define STREAM_SIZE 64

/* A helper at work, or one that has ended while its stream is still asked for: it is not started
 * again. */
struct reach {
	struct reach *next;
	struct agent *agent;
	char stream[STREAM_SIZE];
	int pidfd; /* -1: it has ended */
	struct loop_source *source;
	bool wanted;
};

static void drop(struct reach *reach)
{
	struct reach **p = &reach->agent->reaches;

	while (*p != reach)
		p = &(*p)->next;
	*p = reach->next;
	loop_remove(reach->source);
	cleanup_fd(&reach->pidfd);
	free(reach);
}

static int on_end(void *data, uint32_t events)
{
	struct reach *reach = data;
	int status;

	(void)events;
	process_wait(reach->pidfd, &status);
	reach->source = loop_remove(reach->source);
	close(take_fd(&reach->pidfd));
	if (!reach->wanted)
		drop(reach);
	return 0;
}

/* In the child. */
static void run(const char *program, const char *const *command, const char *stream)
{
	const char *argv[AGENT_REACH_WORDS + 2];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	size_t n = 0;

	for (; command[n] && n < AGENT_REACH_WORDS; n++)
		argv[n] = command[n];
	argv[n++] = stream;
	argv[n] = NULL;
	/* What it has to say goes to its stream; what goes wrong before, to our log. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Its signals are its own. */
	setsid();
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int start(struct reach *reach, struct err *err)
{
	const char *const *command = reach->agent->options.reach_command;
	char program[PATH_MAX];
	pid_t pid;
	int r;

	err_try(program_find(command[0], program, err));
	pid = process_clone(0, -1, &reach->pidfd);
	if (pid == 0)
		run(program, command, reach->stream);
	if (pid < 0)
		return err_set(err, (int)-pid, "start %s", program);
	r = loop_add_fd(reach->agent->loop, reach->pidfd, EPOLLIN, on_end, reach, &reach->source,
			err);
	if (r < 0)
		process_pidfd_signal(reach->pidfd, SIGKILL);
	return r;
}

static void take_up(struct agent *agent, const char *stream)
{
	struct reach *reach = calloc(1, sizeof(*reach));
	struct err err = { 0 };

	if (!reach)
		return;
	*reach = (struct reach){
		.next = agent->reaches, .agent = agent, .pidfd = -1, .wanted = true
	};
	snprintf(reach->stream, sizeof(reach->stream), "%s", stream);
	agent->reaches = reach;
	if (start(reach, &err) < 0)
		log_warn("a stream of the master is not taken up: %s", err.text);
}

static struct reach *find(const struct agent *agent, const char *stream)
{
	for (struct reach *reach = agent->reaches; reach; reach = reach->next)
		if (strcmp(reach->stream, stream) == 0)
			return reach;
	return NULL;
}

void reach_heed(struct agent *agent, const struct machine_wants *wants)
{
	size_t count = 0;

	for (struct reach *reach = agent->reaches; reach; reach = reach->next, count++)
		reach->wanted = false;
	for (const char *const *s = wants->streams; agent->options.reach_command && s && *s; s++) {
		struct reach *reach = find(agent, *s);

		if (reach)
			reach->wanted = true;
		else if (count++ < HELPERS_MAX && strlen(*s) < STREAM_SIZE)
			take_up(agent, *s);
	}
	for (struct reach *reach = agent->reaches, *next; reach; reach = next) {
		next = reach->next;
		if (!reach->wanted && reach->pidfd < 0)
			drop(reach);
	}
}

void reach_leave(struct agent *agent)
{
	while (agent->reaches)
		drop(agent->reaches);
}
