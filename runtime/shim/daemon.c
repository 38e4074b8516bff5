/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/daemon.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

#define KEEP_FD 3

/* Where messages go, or -1. The bundle of ctr has a `log` too, which is the container's. */
static int open_log(bool debug)
{
	_cleanup_fd_ int fd = open("log", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	/* It stays non-blocking: a reader that has gone must not stop the shim. */
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return take_fd(&fd);
	return debug ? open("shim.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

/* One more than the starter's, so that the kernel takes the shim before containerd; lowering is
 * not always allowed, and not asked for. */
static void adjust_oom_score(void)
{
	_cleanup_free_ char *text = NULL;
	char number[24];
	long score;

	if (file_read(AT_FDCWD, "/proc/self/oom_score_adj", 64, &text, NULL, NULL) < 0)
		return;
	score = strtol(text, NULL, 10);
	if (score >= 1000)
		return;
	snprintf(number, sizeof(number), "%ld", score + 1);
	file_write(AT_FDCWD, "/proc/self/oom_score_adj", number, NULL);
}

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int daemon_become(const struct daemon_options *options, int keep_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), log = open_log(options->debug);

	setsid();
	reset_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log >= 0 ? log : null, STDERR_FILENO);
	if (keep_fd != KEEP_FD)
		dup3(keep_fd, KEEP_FD, O_CLOEXEC);
	syscall(SYS_close_range, KEEP_FD + 1, ~0U, 0);
	adjust_oom_score();
	if (options->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	/* The bundle must not be kept busy. */
	if (chdir("/") < 0)
		log_warn("the shim cannot leave its bundle's folder");
	return KEEP_FD;
}
