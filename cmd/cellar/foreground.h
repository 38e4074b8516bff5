/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process in the foreground of `run` or `exec`: signals are passed on to it, a terminal is
 * coupled with the person's, orphans are reaped, and its exit status becomes ours.
 *
 *	_cleanup_foreground_ struct foreground fg = FOREGROUND_NONE;
 *	foreground_prepare(&fg, err);		before the process exists
 *	... create ...
 *	foreground_couple(&fg, master, err);	where it has a terminal
 *	... start ...
 *	foreground_run(&fg, pid, pidfd, &status, err);
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cellar/stream.h"

struct foreground {
	int signal_fd; /* owned */
	int notify_fd; /* owned; the process's notify socket (cmd/cellar/notify.h), or -1 */
	bool coupled;  /* stdin is in raw mode, saved is to be restored */
	struct termios saved;
	struct stream out, in; /* terminal to person, person to terminal */
};

#define FOREGROUND_NONE ((struct foreground){ .signal_fd = -1, .notify_fd = -1 })

/* Blocks signals, to read them later. */
int foreground_prepare(struct foreground *fg, struct err *err);

/* -ENOTTY where stdin is no terminal that the process's could be coupled with. */
int foreground_check_tty(struct err *err);

/* Couples stdin and stdout with a terminal's master, which stays the caller's, until
 * foreground_deinit(). -ENOTTY as above. */
int foreground_couple(struct foreground *fg, int master, struct err *err);

/* Returns when the process, a child of ours, has ended and is reaped. ret_code: its exit status, or
 * 128 and the signal. */
int foreground_run(struct foreground *fg, pid_t pid, int pidfd, int *ret_code, struct err *err);

void foreground_deinit(struct foreground *fg);

#define _cleanup_foreground_ _cleanup_(foreground_deinit)
