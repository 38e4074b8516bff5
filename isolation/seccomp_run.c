/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/seccomp_run.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "isolation/seccomp_tables.h"

enum { EXEC = 1, START = 2, HOOKS = 4, LABELS = 8 };

/* Calls of isolation/init, from stage_clone() or program_wait() on. Arguments that differ from case
 * to case are 0. */
static const struct call {
	int nr;
	uint64_t args[2];
	unsigned when;
} calls[] = {
	{ SYS_pipe2, { 0, O_CLOEXEC }, EXEC | HOOKS },
	{ SYS_clone, { CLONE_PARENT | CLONE_PIDFD }, EXEC },
	{ SYS_read, { 0 }, EXEC | HOOKS },
	{ SYS_write, { 0 }, START | LABELS },
	{ SYS_close, { 0 }, EXEC | START },
	{ SYS_sendmsg, { 0 }, EXEC | START },
	{ SYS_sendto, { 0 }, EXEC | START },
	{ SYS_recvmsg, { 0 }, EXEC | START },
	{ SYS_exit_group, { 0 }, EXEC | START },
	{ SYS_setsid, { 0 }, EXEC },
	{ SYS_ioctl, { 0, TIOCSCTTY }, EXEC },
	{ SYS_openat, { 0 }, START },
	{ SYS_openat2, { 0 }, LABELS },
	{ SYS_close_range, { 3, ~0u }, EXEC | START },
	{ SYS_prlimit64, { 0 }, EXEC | START },
	{ SYS_capget, { 0 }, EXEC | START },
	{ SYS_capset, { 0 }, EXEC | START },
	{ SYS_prctl, { PR_SET_DUMPABLE, 0 }, EXEC | START },
	{ SYS_prctl, { PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL }, EXEC | START },
	{ SYS_prctl, { PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE }, EXEC | START },
	{ SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1 }, EXEC },
	{ SYS_execve, { 0 }, EXEC | START },
#ifdef SYS_fork
	{ SYS_fork, { 0 }, HOOKS },
#else
	{ SYS_clone, { SIGCHLD }, HOOKS },
#endif
#ifdef SYS_dup2
	{ SYS_dup2, { 0 }, HOOKS },
#else
	{ SYS_dup3, { 0 }, HOOKS },
#endif
#ifdef SYS_poll
	{ SYS_poll, { 0 }, HOOKS },
#else
	{ SYS_ppoll, { 0 }, HOOKS },
#endif
	{ SYS_clock_gettime, { 0 }, HOOKS },
	{ SYS_gettid, { 0 }, HOOKS },
	{ SYS_kill, { 0 }, HOOKS },
	{ SYS_lseek, { 0 }, HOOKS },
	{ SYS_pidfd_open, { 0 }, HOOKS },
	{ SYS_rt_sigprocmask, { 0 }, HOOKS },
	{ SYS_umask, { 0 }, HOOKS },
	{ SYS_wait4, { 0 }, HOOKS },
	{ SYS_writev, { 0 }, HOOKS },
};

static bool allows(const struct sock_filter *filter, const struct seccomp_data *data)
{
	uint32_t answer = bpf_run(filter, data) & SECCOMP_RET_ACTION_FULL;

	return answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_LOG;
}

bool seccomp_allows_call(const struct sock_filter *filter, int nr)
{
	struct seccomp_data data = { .nr = nr, .arch = seccomp_tables.abis[0].audit_arch };

	return allows(filter, &data);
}

static bool allows_all(const struct sock_filter *filter, unsigned when)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct seccomp_data data = { .nr = calls[i].nr,
					     .arch = seccomp_tables.abis[0].audit_arch,
					     .args = { calls[i].args[0], calls[i].args[1] } };

		if (calls[i].when & when && !allows(filter, &data))
			return false;
	}
	return true;
}

bool seccomp_allows_exec(const struct sock_filter *filter)
{
	return allows_all(filter, EXEC);
}

bool seccomp_allows_start(const struct sock_filter *filter, bool hooks, bool labels)
{
	return allows_all(filter, START | (hooks ? HOOKS : 0) | (labels ? LABELS : 0));
}
