/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/seccomp_run.h"

#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "isolation/seccomp_tables.h"

/* Calls of isolation/init, from stage_clone() on. Arguments that differ from case to case are 0. */
static const struct call {
	int nr;
	uint64_t args[2];
	bool for_labels;
} calls[] = {
	{ SYS_pipe2, { 0, O_CLOEXEC }, false },
	{ SYS_clone, { CLONE_PARENT | CLONE_PIDFD }, false },
	{ SYS_read, { 0 }, false },
	{ SYS_write, { 0 }, true },
	{ SYS_close, { 0 }, false },
	{ SYS_sendmsg, { 0 }, false },
	{ SYS_sendto, { 0 }, false },
	{ SYS_recvmsg, { 0 }, false },
	{ SYS_exit_group, { 0 }, false },
	{ SYS_setsid, { 0 }, false },
	{ SYS_ioctl, { 0, TIOCSCTTY }, false },
	{ SYS_openat, { 0 }, true },
	{ SYS_openat2, { 0 }, true },
	{ SYS_close_range, { 3, ~0u }, false },
	{ SYS_prlimit64, { 0 }, false },
	{ SYS_capget, { 0 }, false },
	{ SYS_capset, { 0 }, false },
	{ SYS_prctl, { PR_SET_DUMPABLE, 0 }, false },
	{ SYS_prctl, { PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL }, false },
	{ SYS_prctl, { PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE }, false },
	{ SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1 }, false },
	{ SYS_execve, { 0 }, false },
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

bool seccomp_allows_exec(const struct sock_filter *filter, bool labels)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct seccomp_data data = { .nr = calls[i].nr,
					     .arch = seccomp_tables.abis[0].audit_arch,
					     .args = { calls[i].args[0], calls[i].args[1] } };

		if ((!calls[i].for_labels || labels) && !allows(filter, &data))
			return false;
	}
	return true;
}
