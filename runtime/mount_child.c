/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount_child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/process.h"

struct report {
	int result; /* fn's; <0 with err */
	struct err err;
};

static void run(int (*fn)(const void *data, struct err *err), const void *data, pid_t parent,
		int report_fd)
{
	struct report report = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		report.result = err_set(&report.err, errno, "detach from the host's mounts");
	else
		report.result = fn(data, &report.err);
	_exit(fd_write_all(report_fd, &report, sizeof(report)) < 0);
}

/* Waiting may fail, as whoever called us may have SIGCHLD ignored. */
int mount_child_run(int (*fn)(const void *data, struct err *err), const void *data, struct err *err)
{
	_cleanup_fd_ int pidfd = -1, reader = -1, writer = -1;
	struct report report;
	pid_t parent = getpid(), pid;
	int ends[2], status, r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	reader = ends[0];
	writer = ends[1];
	pid = process_clone(CLONE_NEWNS, -1, &pidfd);
	if (pid == 0)
		run(fn, data, parent, writer);
	if (pid < 0)
		return err_set(err, -pid, "start a process in a mount namespace of its own");
	close(take_fd(&writer));
	r = fd_read_exact(reader, &report, sizeof(report));
	process_wait(pidfd, &status);
	if (r < 0)
		return err_say(err, ECHILD, "the process that did it was killed");
	report.err.text[ERR_TEXT_MAX - 1] = '\0';
	return report.result < 0 ? err_say(err, report.err.code, "%s", report.err.text)
				 : report.result;
}
