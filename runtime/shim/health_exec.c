/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look by a process in the container: healthy when that ends with 0. Of its output the beginning
 * is kept, the rest is read and forgotten. Its pid is noted in io_dir, because one that outlives
 * its shim has nobody who would end it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "runtime/shim/health_probe.h"
#include "runtime/shim/health_record.h"
#include "runtime/shim/io_pipe.h"
#include "runtime/shim/shim.h"

#define NOTE "probe"
#define READS_MAX 16 /* at once: who writes without end must not keep us from all else */

struct probe {
	struct task *task;
	probe_fn fn;
	void *data;
	pid_t pid; /* 0: it was reaped */
	int pidfd, output_fd;
	struct loop_source *source;
	size_t len;
	char output[HEALTH_OUTPUT_MAX];
};

static int note_path(const struct task *task, char ret[static PATH_MAX])
{
	return task->io_dir && snprintf(ret, PATH_MAX, "%s/" NOTE, task->io_dir) < PATH_MAX
		       ? 0
		       : -ENOENT;
}

static void note(const struct probe *p)
{
	char path[PATH_MAX], text[64];
	uint64_t ticks;
	int n;

	if (note_path(p->task, path) < 0 || process_start_time(p->pid, &ticks) < 0)
		return;
	n = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int)p->pid, ticks);
	file_replace(AT_FDCWD, path, text, (size_t)n, 0600, false, NULL);
}

static void sweep(struct task *task)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int pidfd = -1;
	char path[PATH_MAX];
	uint64_t ticks, now;
	int pid;

	if (note_path(task, path) < 0 || file_read(AT_FDCWD, path, 64, &text, NULL, NULL) < 0)
		return;
	unlink(path);
	if (sscanf(text, "%d %" SCNu64, &pid, &ticks) != 2 || pid <= 1)
		return;
	/* The pidfd first: then the time is that of the process it stands for. */
	pidfd = process_pidfd_open(pid);
	if (pidfd >= 0 && process_start_time(pid, &now) == 0 && now == ticks)
		process_pidfd_signal(pidfd, SIGKILL);
}

/* It leads a session of its own, and was not reaped yet: the number is its own, and its group's. */
static void kill_group(const struct probe *p)
{
	if (getpgid(p->pid) == p->pid)
		kill(-p->pid, SIGKILL);
	process_pidfd_signal(p->pidfd, SIGKILL);
}

static void probe_free(struct probe *p)
{
	if (!p)
		return;
	if (p->pid) {
		reaper_forget(p->task->shim->reaper, p->pid);
		kill_group(p);
	}
	loop_remove(p->source);
	cleanup_fd(&p->output_fd);
	cleanup_fd(&p->pidfd);
	free(p);
}

/* What is there now, or some of it. 0 at its end. */
static int copy(struct probe *p)
{
	char rest[4096];
	ssize_t n = 1;

	for (int i = 0; i < READS_MAX && n > 0; i++) {
		size_t room = sizeof(p->output) - p->len;

		n = read(p->output_fd, room ? p->output + p->len : rest,
			 room ? room : sizeof(rest));
		if (n > 0 && room)
			p->len += (size_t)n;
	}
	return n > 0 || (n < 0 && errno == EAGAIN) ? -EAGAIN : 0;
}

static int on_output(void *data, uint32_t events)
{
	struct probe *p = data;

	(void)events;
	if (copy(p) == 0)
		p->source = loop_remove(p->source);
	return 0;
}

static void on_probe_exit(void *data, pid_t pid, int wait_status)
{
	struct probe *p = data;

	(void)pid;
	p->pid = 0;
	/* What its children may still write is not waited for. */
	if (p->source)
		copy(p);
	p->fn(p->data, process_exit_code(wait_status), p->output, p->len);
}

static int execute(struct probe *p, const struct shim_health *check, struct err *err)
{
	_cleanup_fd_ int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), child = -1;
	struct backend_process made = { .pidfd = -1, .console_fd = -1 };
	struct backend_exec o = { check->process_json, strlen(check->process_json), false, NULL };
	struct io_pipe pipe;
	int stdio[3], r = io_pipe_make(false, &pipe, err);

	if (r < 0)
		return r;
	p->output_fd = pipe.ours;
	child = pipe.child;
	if (null_fd < 0)
		return err_set(err, errno, "open /dev/null");
	stdio[0] = null_fd;
	stdio[1] = stdio[2] = child;
	o.stdio = stdio;
	r = p->task->shim->options->backend->exec(p->task->handle, &o, &made, err);
	if (r < 0)
		return r;
	p->pid = made.pid;
	p->pidfd = made.pidfd;
	return 0;
}

static int begin(struct task *task, const struct shim_health *check, probe_fn fn, void *data,
		 struct probe **ret, struct err *err)
{
	struct probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, ENOMEM, "look after container %s", task->id);
	p->task = task;
	p->fn = fn;
	p->data = data;
	p->pidfd = p->output_fd = -1;
	r = execute(p, check, err);
	if (r == 0)
		r = loop_add_fd(task->shim->loop, p->output_fd, EPOLLIN, on_output, p, &p->source,
				err);
	if (r == 0 && reaper_watch(task->shim->reaper, p->pid, on_probe_exit, p) < 0)
		r = err_set(err, ENOMEM, "look after container %s", task->id);
	if (r < 0) {
		probe_free(p);
		return r;
	}
	note(p);
	*ret = p;
	return 0;
}

const struct probe_ops probe_exec = { .begin = begin, .free = probe_free, .sweep = sweep };
