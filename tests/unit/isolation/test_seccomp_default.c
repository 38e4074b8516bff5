/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile, call by call, on a machine of ours and on the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/skip.h"
#include "base/cleanup.h"
#include "bpf_machine.h"
#include "isolation/seccomp.h"
#include "isolation/seccomp_tables.h"

#define ALLOW SECCOMP_RET_ALLOW
#define DENY (SECCOMP_RET_ERRNO | EPERM)
#define NOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define KILL SECCOMP_RET_KILL_PROCESS

/* What containers get when nothing is asked for, and bits by number. */
#define CAPS_DEFAULT 0xa80425fbULL
#define CAP_BIT(n) (1ULL << (n))
#define NO_CAP (-1)

static struct seccomp_program program_for(uint64_t capabilities)
{
	struct seccomp_program program;
	struct err err = { 0 };

	assert_int_equal(seccomp_default(capabilities, &program, &err), 0);
	assert_true(bpf_is_valid(program.filter, program.count));
	return program;
}

/* The answer to a call by name on an ABI, which must have it. */
static uint32_t ask(const struct seccomp_program *program, size_t abi, const char *name,
		    uint64_t arg0)
{
	const struct seccomp_name *entry = seccomp_tables_find(&seccomp_tables, name);
	const struct seccomp_abi *a = &seccomp_tables.abis[abi];

	if (!entry || entry->nr[abi] < 0)
		fail_msg("%s has no call %s", a->name, name);
	struct seccomp_data data = { .nr = (int)(a->base + (uint32_t)entry->nr[abi]),
				     .arch = a->audit_arch,
				     .args = { arg0 } };
	return bpf_run(program->filter, &data);
}

static bool abi_has(size_t abi, const char *name)
{
	const struct seccomp_name *entry = seccomp_tables_find(&seccomp_tables, name);

	return entry && entry->nr[abi] >= 0;
}

static bool abi_is_open(size_t abi)
{
	return seccomp_tables.defaults.abis & 1U << abi;
}

static void every_row_is_answered_as_it_says(void **state)
{
	(void)state;
	/* Rows of the data file, without what conditions and groups make of them. */
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t i = 0; i < seccomp_tables.rows_count; i++) {
		const struct seccomp_row *row = &seccomp_tables.rows[i];
		const struct seccomp_abi *abi = &seccomp_tables.abis[row->abi];
		struct seccomp_data data = { .nr = (int)(abi->base + row->nr),
					     .arch = abi->audit_arch };

		if (row->capability < 0 && !row->tests_count)
			assert_int_equal(bpf_run(program.filter, &data), row->action);
	}
	seccomp_deinit(&program);
}

static void usual_programs_run(void **state)
{
	(void)state;
	static const char *const names[] = {
		"read",	   "write",  "openat",	   "close",	   "mmap",	   "munmap",
		"brk",	   "execve", "exit_group", "rt_sigaction", "futex",	   "nanosleep",
		"getpid",  "setuid", "chown",	   "socketpair",   "epoll_wait",   "sendfile",
		"openat2", "rseq",   "fchmodat2",  "statx",	   "memfd_create",
	};
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t abi = 0; abi < seccomp_tables.abis_count; abi++)
			if (abi_is_open(abi) && abi_has(abi, names[i]))
				assert_int_equal(ask(&program, abi, names[i], 0), ALLOW);
	seccomp_deinit(&program);
}

static void what_reaches_the_host_is_refused(void **state)
{
	(void)state;
	static const char *const names[] = {
		"acct",
		"add_key",
		"bpf",
		"clock_settime",
		"delete_module",
		"fanotify_init",
		"finit_module",
		"fsopen",
		"get_mempolicy",
		"init_module",
		"io_uring_enter",
		"io_uring_register",
		"io_uring_setup",
		"ioperm",
		"iopl",
		"kcmp",
		"kexec_file_load",
		"kexec_load",
		"keyctl",
		"lookup_dcookie",
		"mbind",
		"migrate_pages",
		"mount",
		"mount_setattr",
		"move_mount",
		"move_pages",
		"nfsservctl",
		"open_by_handle_at",
		"open_tree",
		"perf_event_open",
		"pidfd_getfd",
		"pivot_root",
		"process_madvise",
		"process_vm_readv",
		"process_vm_writev",
		"ptrace",
		"quotactl",
		"reboot",
		"request_key",
		"sethostname",
		"setns",
		"settimeofday",
		"swapoff",
		"swapon",
		"syslog",
		"umount2",
		"unshare",
		"userfaultfd",
		"vhangup",
		"lsm_list_modules",
		"sysfs",
		"ustat",
		"vm86",
		"vm86old",
		"uselib",
	};
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t abi = 0; abi < seccomp_tables.abis_count; abi++)
			if (abi_is_open(abi) && abi_has(abi, names[i]))
				assert_int_equal(ask(&program, abi, names[i], 0), DENY);
	seccomp_deinit(&program);
}

static void capabilities_open_their_calls_and_no_others(void **state)
{
	(void)state;
	static const struct {
		int capability;
		const char *name;
	} opens[] = {
		{ 2, "open_by_handle_at" },
		{ 16, "init_module" },
		{ 16, "finit_module" },
		{ 16, "delete_module" },
		{ 17, "iopl" },
		{ 17, "ioperm" },
		{ 18, "chroot" },
		{ 19, "kcmp" },
		{ 19, "pidfd_getfd" },
		{ 19, "process_madvise" },
		{ 19, "ptrace" },
		{ 19, "process_vm_readv" },
		{ 20, "acct" },
		{ 21, "mount" },
		{ 21, "umount2" },
		{ 21, "unshare" },
		{ 21, "setns" },
		{ 21, "fsopen" },
		{ 21, "fsmount" },
		{ 21, "open_tree" },
		{ 21, "move_mount" },
		{ 21, "mount_setattr" },
		{ 21, "quotactl" },
		{ 21, "sethostname" },
		{ 21, "setdomainname" },
		{ 21, "lsm_list_modules" },
		{ 22, "reboot" },
		{ 23, "mbind" },
		{ 23, "set_mempolicy" },
		{ 25, "settimeofday" },
		{ 25, "clock_settime" },
		{ 26, "vhangup" },
		{ 34, "syslog" },
		{ 21, "syslog" },
		{ 38, "perf_event_open" },
		{ 21, "perf_event_open" },
		{ 39, "bpf" },
		{ 21, "bpf" },
	};

	for (int capability = NO_CAP; capability <= 40; capability++) {
		struct seccomp_program program =
			program_for(capability < 0 ? 0 : CAP_BIT(capability));

		for (size_t i = 0; i < ARRAY_SIZE(opens); i++) {
			bool open = false;

			if (!abi_has(0, opens[i].name))
				continue;
			for (size_t k = 0; k < ARRAY_SIZE(opens); k++)
				open |= opens[k].capability == capability &&
					strcmp(opens[k].name, opens[i].name) == 0;
			assert_int_equal(ask(&program, 0, opens[i].name, 0), open ? ALLOW : DENY);
		}
		seccomp_deinit(&program);
	}
}

static void namespaces_need_sys_admin(void **state)
{
	(void)state;
	struct seccomp_program without = program_for(CAPS_DEFAULT);
	struct seccomp_program with = program_for(CAPS_DEFAULT | CAP_BIT(21));
	static const uint64_t flags[] = { CLONE_NEWNS,	CLONE_NEWCGROUP, CLONE_NEWUTS,
					  CLONE_NEWIPC, CLONE_NEWUSER,	 CLONE_NEWPID,
					  CLONE_NEWNET };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		assert_int_equal(ask(&without, 0, "clone", flags[i] | SIGCHLD), DENY);
		/* What the kernel cuts off hides nothing. */
		assert_int_equal(ask(&without, 0, "clone", flags[i] | 1ULL << 40), DENY);
		assert_int_equal(ask(&with, 0, "clone", flags[i]), ALLOW);
	}
	assert_int_equal(ask(&without, 0, "clone", SIGCHLD), ALLOW);
	assert_int_equal(ask(&without, 0, "clone", CLONE_VM | CLONE_THREAD | CLONE_SIGHAND), ALLOW);
	assert_int_equal(ask(&without, 0, "clone3", 0), NOSYS);
	assert_int_equal(ask(&with, 0, "clone3", 0), ALLOW);
	seccomp_deinit(&without);
	seccomp_deinit(&with);
}

static void some_socket_families_are_refused(void **state)
{
	(void)state;
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t abi = 0; abi < seccomp_tables.abis_count; abi++) {
		if (!abi_is_open(abi) || !abi_has(abi, "socket"))
			continue;
		for (uint64_t family = 0; family < 64; family++)
			assert_int_equal(ask(&program, abi, "socket", family),
					 family == AF_ALG || family == AF_VSOCK ? DENY : ALLOW);
		/* The kernel reads an int. */
		assert_int_equal(ask(&program, abi, "socket", 1ULL << 32 | AF_VSOCK), DENY);
		assert_int_equal(ask(&program, abi, "socket", UINT64_MAX << 32 | AF_ALG), DENY);
	}
	seccomp_deinit(&program);
}

static void personalities_are_the_harmless_ones(void **state)
{
	(void)state;
	static const uint64_t good[] = { 0, 0x8, 0x20000, 0x20008, 0xffffffff, UINT64_MAX };
	static const uint64_t evil[] = { 0x40000, 0x1, 0x20009, 0x100000, 0xfffffffe, 0x40008 };
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(ask(&program, 0, "personality", good[i]), ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(evil); i++)
		assert_int_equal(ask(&program, 0, "personality", evil[i]), DENY);
	seccomp_deinit(&program);
}

static uint32_t ask_number(const struct seccomp_program *program, uint32_t arch, uint32_t nr)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };

	return bpf_run(program->filter, &data);
}

static void newer_calls_do_not_exist(void **state)
{
	(void)state;
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t abi = 0; abi < seccomp_tables.abis_count; abi++) {
		const struct seccomp_abi *a = &seccomp_tables.abis[abi];

		if (!abi_is_open(abi) || !abi_has(abi, "removexattrat"))
			continue;
		assert_int_equal(ask(&program, abi, "removexattrat", 0), ALLOW);
		assert_int_equal(ask(&program, abi, "open_tree_attr", 0), NOSYS);
		for (uint32_t nr = 467; nr < 4096; nr++)
			assert_int_equal(ask_number(&program, a->audit_arch, nr), NOSYS);
		assert_int_equal(ask_number(&program, a->audit_arch, 0x7fffffff), NOSYS);
		assert_int_equal(ask_number(&program, a->audit_arch, UINT32_MAX), NOSYS);
	}
	seccomp_deinit(&program);
}

static void x32_does_not_exist(void **state)
{
	(void)state;
	struct seccomp_program program = program_for(UINT64_MAX);

	if (seccomp_tables.abis[0].audit_arch == AUDIT_ARCH_X86_64)
		for (uint32_t nr = 0; nr < 600; nr++)
			assert_int_equal(ask_number(&program, AUDIT_ARCH_X86_64, 0x40000000 + nr),
					 NOSYS);
	seccomp_deinit(&program);
}

static void other_architectures_are_killed(void **state)
{
	(void)state;
	static const uint32_t archs[] = { 0, AUDIT_ARCH_MIPS, AUDIT_ARCH_S390X, AUDIT_ARCH_PPC64,
					  UINT32_MAX };
	struct seccomp_program program = program_for(CAPS_DEFAULT);

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		assert_int_equal(ask_number(&program, archs[i], 1), KILL);
	seccomp_deinit(&program);
}

/* So that an exec'd process is born behind it, and a created one waits behind it. */
static void it_can_be_loaded_before_the_clone_of_an_exec(void **state)
{
	const struct sock_filter no_recvmsg[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvmsg, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct seccomp_program program;

	(void)state;
	assert_return_code(seccomp_default(0, &program, NULL), EIO);
	assert_true(seccomp_allows_exec(program.filter));
	assert_true(seccomp_allows_start(program.filter, true, true));
	seccomp_deinit(&program);
	assert_true(seccomp_allows_exec(no_recvmsg + 3));
	assert_true(seccomp_allows_start(no_recvmsg + 3, true, true));
	assert_false(seccomp_allows_exec(no_recvmsg));
	assert_false(seccomp_allows_start(no_recvmsg, false, false));
}

static void the_usual_sets_are_ready(void **state)
{
	(void)state;
	static const uint64_t sets[] = { CAPS_DEFAULT, 0, UINT64_MAX, CAP_BIT(18) };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct seccomp_program program = program_for(sets[i]);

		assert_true(program.is_static);
		seccomp_deinit(&program);
	}
}

static void ready_filters_equal_compiled_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < seccomp_tables.ready_count; i++) {
		const struct seccomp_ready *ready = &seccomp_tables.ready[i];
		_cleanup_free_ struct sock_filter *filter = NULL;
		unsigned short count;
		struct err err = { 0 };

		assert_int_equal(seccomp_tables_compile(&seccomp_tables, ready->capabilities,
							&filter, &count, &err),
				 0);
		assert_int_equal(count, ready->count);
		assert_memory_equal(filter, ready->filter, count * sizeof(*filter));
	}
}

/* In a child that has loaded the filter: 0, or what the test number was that failed. */
struct trial {
	long nr, args[4];
	int expected; /* errno; 0: anything but EPERM and ENOSYS */
};

static int try_all(const struct seccomp_program *program, const struct trial *trials, size_t count)
{
	struct sock_fprog prog = { program->count, program->filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &prog) < 0)
		return 101;
	for (size_t i = 0; i < count; i++) {
		const long *a = trials[i].args;

		errno = 0;
		long r = syscall(trials[i].nr, a[0], a[1], a[2], a[3]);
		int error = r < 0 ? errno : 0;

		if (trials[i].expected ? error != trials[i].expected
				       : error == EPERM || error == ENOSYS)
			return (int)i + 1;
	}
	return 0;
}

static int status_of(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void the_kernel_agrees(void **state)
{
	(void)state;
	static const struct trial trials[] = {
		{ SYS_getpid, { 0 }, 0 },
		{ SYS_openat, { AT_FDCWD, 0 }, EFAULT },
		{ SYS_mount, { 0 }, EPERM },
		{ SYS_unshare, { 0 }, EPERM },
		{ SYS_setns, { -1 }, EPERM },
		{ SYS_keyctl, { 0 }, EPERM },
		{ SYS_bpf, { -1 }, EPERM },
		{ SYS_reboot, { 0 }, EPERM },
		{ SYS_io_uring_setup, { 0 }, EPERM },
		{ SYS_clone3, { 0 }, ENOSYS },
		{ SYS_clone, { CLONE_NEWNET | SIGCHLD }, EPERM },
		{ SYS_socket, { AF_UNIX, SOCK_STREAM }, 0 },
		{ SYS_socket, { AF_VSOCK, SOCK_STREAM }, EPERM },
		{ SYS_socket, { AF_ALG, SOCK_SEQPACKET }, EPERM },
		{ SYS_personality, { 0xffffffff }, 0 },
		{ SYS_personality, { 0x40000 }, EPERM },
		{ 467, { 0 }, ENOSYS },
		{ 9999, { 0 }, ENOSYS },
		{ SYS_chroot, { 0 }, EFAULT },
	};
	struct seccomp_program program = program_for(CAPS_DEFAULT);
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_all(&program, trials, ARRAY_SIZE(trials)));
	assert_int_equal(status_of(pid), 0);
	seccomp_deinit(&program);
}

#ifdef __x86_64__
static long call_i386(long nr, long arg)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(arg)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

static int try_i386(const struct seccomp_program *program)
{
	struct sock_fprog prog = { program->count, program->filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &prog) < 0)
		return 101;
	if (call_i386(20, 0) != getpid())
		return 1;
	if (call_i386(21 /* mount */, 0) != -EPERM)
		return 2;
	if (call_i386(310 /* unshare */, 0) != -EPERM)
		return 3;
	if (call_i386(359 /* socket */, AF_VSOCK) != -EPERM)
		return 4;
	if (call_i386(102 /* socketcall */, -1) != -EINVAL)
		return 5;
	return call_i386(500, 0) == -ENOSYS ? 0 : 6;
}

static void the_kernel_agrees_on_i386(void **state)
{
	(void)state;
	struct seccomp_program program = program_for(CAPS_DEFAULT);
	pid_t pid = fork();

	if (pid == 0)
		_exit(call_i386(20, 0) == getpid() ? 0 : 1);
	if (status_of(pid) != 0) {
		skip_because("this kernel runs no i386 programs");
	}
	pid = fork();
	if (pid == 0)
		_exit(try_i386(&program));
	assert_int_equal(status_of(pid), 0);
	seccomp_deinit(&program);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_answered_as_it_says),
		cmocka_unit_test(usual_programs_run),
		cmocka_unit_test(what_reaches_the_host_is_refused),
		cmocka_unit_test(capabilities_open_their_calls_and_no_others),
		cmocka_unit_test(namespaces_need_sys_admin),
		cmocka_unit_test(some_socket_families_are_refused),
		cmocka_unit_test(personalities_are_the_harmless_ones),
		cmocka_unit_test(newer_calls_do_not_exist),
		cmocka_unit_test(x32_does_not_exist),
		cmocka_unit_test(other_architectures_are_killed),
		cmocka_unit_test(it_can_be_loaded_before_the_clone_of_an_exec),
		cmocka_unit_test(the_usual_sets_are_ready),
		cmocka_unit_test(ready_filters_equal_compiled_ones),
		cmocka_unit_test(the_kernel_agrees),
#ifdef __x86_64__
		cmocka_unit_test(the_kernel_agrees_on_i386),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
