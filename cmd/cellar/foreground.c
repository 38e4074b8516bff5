/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "cmd/cellar/notify.h"

/* Those that report a fault of ours, and those by which a shell stops us, keep their meaning. */
static const int kept[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGABRT,
			    SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU };

int foreground_prepare(struct foreground *fg, struct err *err)
{
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		sigdelset(&set, kept[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, errno, "block signals");
	fg->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fg->signal_fd < 0 ? err_set(err, errno, "watch signals") : 0;
}

/* ---- the terminal ---- */

int foreground_check_tty(struct err *err)
{
	if (isatty(STDIN_FILENO))
		return 0;
	return err_say(err, ENOTTY, "a terminal is asked for, but the input device is not a TTY");
}

static void copy_size(const struct foreground *fg)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(fg->out.from, TIOCSWINSZ, &size);
}

int foreground_couple(struct foreground *fg, int master, struct err *err)
{
	struct termios raw;

	err_try(foreground_check_tty(err));
	stream_init(&fg->out, master, STDOUT_FILENO);
	stream_init(&fg->in, STDIN_FILENO, master);
	/* Both sides of one file: a process that reads nothing must not hold up its own output. */
	fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
	copy_size(fg);
	if (tcgetattr(STDIN_FILENO, &fg->saved) < 0)
		return err_set(err, errno, "read the terminal's settings");
	raw = fg->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return err_set(err, errno, "set the terminal to raw mode");
	fg->coupled = true;
	return 0;
}

void foreground_deinit(struct foreground *fg)
{
	if (fg->coupled)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &fg->saved);
	fg->coupled = false;
	cleanup_fd(&fg->signal_fd);
	cleanup_fd(&fg->notify_fd);
	fg->signal_fd = fg->notify_fd = -1;
}

/* What the process wrote last lies in the terminal still. */
static void drain(struct foreground *fg)
{
	while (!fg->out.ended) {
		if (stream_wants_write(&fg->out)) {
			stream_write(&fg->out);
			continue;
		}
		stream_read(&fg->out);
		if (!stream_wants_write(&fg->out))
			break;
	}
}

/* ---- signals ---- */

/* Orphans come to us as the subreaper; the process itself is left to its pidfd. */
static void reap_orphans(pid_t main_pid)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0 &&
	       info.si_pid != main_pid) {
		waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
}

static void pass_signals(struct foreground *fg, pid_t pid, int pidfd)
{
	struct signalfd_siginfo info;

	while (read(fg->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGCHLD)
			reap_orphans(pid);
		else if (sig == SIGWINCH && fg->coupled)
			copy_size(fg);
		else if (sig != SIGPIPE && sig != SIGWINCH)
			process_pidfd_signal(pidfd, sig);
	}
}

static short wanted(const struct stream *s, int fd)
{
	if (fd == s->from && stream_wants_read(s))
		return POLLIN;
	return fd == s->to && stream_wants_write(s) ? POLLOUT : 0;
}

static void serve(struct stream *s, const struct pollfd *from, const struct pollfd *to)
{
	if (stream_wants_read(s) && (from->revents & (POLLIN | POLLHUP | POLLERR)))
		stream_read(s);
	else if (stream_wants_write(s) && (to->revents & (POLLOUT | POLLHUP | POLLERR)))
		stream_write(s);
}

enum { AT_PROCESS, AT_SIGNALS, AT_NOTIFY, AT_STDIN, AT_STDOUT, AT_MASTER, AT_COUNT };

/* Descriptors that nobody waits for are -1, or a hang-up would wake us for ever. */
static void fill(const struct foreground *fg, struct pollfd p[static AT_COUNT])
{
	p[AT_STDIN].events = wanted(&fg->in, STDIN_FILENO);
	p[AT_STDOUT].events = wanted(&fg->out, STDOUT_FILENO);
	p[AT_MASTER].events = wanted(&fg->out, fg->out.from) | wanted(&fg->in, fg->in.to);
	p[AT_STDIN].fd = p[AT_STDIN].events ? STDIN_FILENO : -1;
	p[AT_STDOUT].fd = p[AT_STDOUT].events ? STDOUT_FILENO : -1;
	p[AT_MASTER].fd = p[AT_MASTER].events ? fg->out.from : -1;
}

int foreground_run(struct foreground *fg, pid_t pid, int pidfd, int *ret_code, struct err *err)
{
	struct pollfd p[AT_COUNT] = { { .fd = pidfd, .events = POLLIN },
				      { .fd = fg->signal_fd, .events = POLLIN },
				      { .fd = fg->notify_fd, .events = POLLIN } };
	int status, r;

	do {
		if (fg->coupled)
			fill(fg, p);
		if (poll(p, fg->coupled ? AT_COUNT : AT_STDIN, -1) < 0 && errno != EINTR)
			return err_set(err, errno, "wait for the process");
		if (p[AT_SIGNALS].revents)
			pass_signals(fg, pid, pidfd);
		if (p[AT_NOTIFY].revents && notify_pass(fg->notify_fd, pid))
			p[AT_NOTIFY].fd = -1; /* once is enough */
		if (fg->coupled) {
			serve(&fg->out, &p[AT_MASTER], &p[AT_STDOUT]);
			serve(&fg->in, &p[AT_STDIN], &p[AT_MASTER]);
		}
	} while (!p[AT_PROCESS].revents);
	if (fg->coupled)
		drain(fg);
	r = process_wait(pidfd, &status);
	if (r < 0)
		return err_set(err, -r, "wait for process %d", pid);
	*ret_code = process_exit_code(status);
	return 0;
}
