/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cellar-init, the only program of ours that enters a container: it receives a finished plan over a
 * socket and walks the table of steps below. It is started by the runtime from a sealed memfd with
 * the number of its socket as only argument; all fds above that are closed at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

enum mode { CONTAINER = 1, EXEC = 2, BOTH = 3 };

static const struct {
	enum mode mode;
	int (*run)(struct init *in, struct err *err);
} steps[] = {
	[INIT_STEP_BEGIN] = { BOTH, channel_begin },
	[INIT_STEP_STAGE] = { BOTH, stage_run },
	[INIT_STEP_USER] = { CONTAINER, stage_become_root },
	[INIT_STEP_JOIN] = { BOTH, stage_join },
	[INIT_STEP_SESSION] = { BOTH, host_session },
	[INIT_STEP_HOST] = { CONTAINER, host_settings },
	[INIT_STEP_ROOT] = { BOTH, rootfs_prepare },
	[INIT_STEP_MOUNTS] = { CONTAINER, mounts_apply },
	[INIT_STEP_DEVICES] = { CONTAINER, devices_make },
	[INIT_STEP_TERMINAL] = { BOTH, terminal_open },
	[INIT_STEP_HOOKS] = { CONTAINER, hooks_create },
	[INIT_STEP_MASKS] = { CONTAINER, masks_apply },
	[INIT_STEP_ENTER] = { CONTAINER, rootfs_enter },
	[INIT_STEP_SCHEDULING] = { BOTH, scheduling_apply },
	[INIT_STEP_IDENTITY] = { BOTH, identity_assume },
	[INIT_STEP_PROGRAM] = { BOTH, program_find },
	[INIT_STEP_CLONE] = { EXEC, stage_clone },
	[INIT_STEP_READY] = { BOTH, program_wait },
	[INIT_STEP_START] = { BOTH, program_execute },
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == INIT_STEP_COUNT, "a step has no function");

static struct init init = {
	.sync_fd = -1,
	.fifo_fd = -1,
	.start_fd = -1,
	.proc_fd = -1,
	.root_fd = -1,
	.console_fd = -1,
	.listener_socket = -1,
	.state_fds = { -1, -1 },
	.views = { -1, -1 },
};

/*
 * The program starts with every signal unblocked and at its default, whatever our callers do. By
 * bare calls: musl keeps three signals to itself. All zeros are SIG_DFL and an empty set.
 */
static void reset_signals(void)
{
	static const char zeros[64];

	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, zeros, NULL, 8);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, NULL, 8);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "cellar-init", 0, 0, 0);
	if (argc != 2)
		return 1;
	init.sync_fd = atoi(argv[1]);
	if (init.sync_fd < 3)
		return 1;
	if (sys_close_range((unsigned)init.sync_fd + 1, ~0u, 0) < 0)
		return 1;
	reset_signals();
	umask(0);
	for (init.step = 0; init.step < INIT_STEP_COUNT; init.step++) {
		enum mode mode = init.plan && init.plan->flags & PLAN_EXEC ? EXEC : CONTAINER;

		if (steps[init.step].mode & mode && steps[init.step].run(&init, &err) < 0)
			channel_fail(&init, &err);
	}
	return 1; /* the last step does not come back */
}
