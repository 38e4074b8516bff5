/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"

/* One terminal a process, and signal handlers have to find it. */
static struct termios saved;
static volatile sig_atomic_t is_raw;

bool terminal_size(uint16_t *ret_width, uint16_t *ret_height)
{
	struct winsize size;

	for (int fd = 0; fd <= 2; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
			*ret_width = size.ws_col;
			*ret_height = size.ws_row;
			return true;
		}
	return false;
}

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

/* Restores, then dies of the same signal: its action is the default one again. */
static void on_crash(int sig)
{
	terminal_restore();
	raise(sig);
}

int terminal_make_raw(struct err *err)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND };
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return 0;
	raw = saved;
	cfmakeraw(&raw);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, NULL);
	atexit(terminal_restore);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return err_set(err, errno, "set the terminal to raw mode");
	is_raw = 1;
	return 0;
}
