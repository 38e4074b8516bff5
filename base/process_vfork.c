/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child that borrows our memory until it executes: nothing of our page tables is copied, and
 * neither of us takes a page fault for what the other writes. No C library has clone3(2) with a
 * stack, so the call itself is in assembly; elsewhere, and under AddressSanitizer, which wants to
 * know each stack, it is a plain clone.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/process.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(__SANITIZE_ADDRESS__)
#define HAVE_BORROWING 1
#endif

#ifdef HAVE_BORROWING

/* In the child, which starts on its own stack, calls run(data). */
static long clone3_call(struct clone_args *args, void (*run)(void *), void *data)
{
#ifdef __x86_64__
	long ret;
	register void (*run_at)(void *) __asm__("r12") = run;
	register void *data_at __asm__("r13") = data;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(run_at), "r"(data_at)
			 : "rcx", "r11", "memory");
	return ret;
#else
	register long ret __asm__("x0") = (long)args;
	register long size __asm__("x1") = sizeof(*args);
	register long number __asm__("x8") = SYS_clone3;
	register void (*run_at)(void *) __asm__("x19") = run;
	register void *data_at __asm__("x20") = data;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x0, x20\n\t"
			 "blr x19\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(ret)
			 : "r"(size), "r"(number), "r"(run_at), "r"(data_at)
			 : "memory");
	return ret;
#endif
}

pid_t process_clone_run(uint64_t flags, int cgroup_fd, void (*run)(void *data), void *data,
			int *ret_pidfd)
{
	static _Alignas(64) char stack[PROCESS_STACK];
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | CLONE_VM | CLONE_VFORK,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof(stack),
	};
	sigset_t all, before;
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	/* A handler of ours must not run in the child, on our variables. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = clone3_call(&args, run, data);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

#else

pid_t process_clone_run(uint64_t flags, int cgroup_fd, void (*run)(void *data), void *data,
			int *ret_pidfd)
{
	pid_t pid = process_clone(flags, cgroup_fd, ret_pidfd);

	if (pid != 0)
		return pid;
	run(data);
	_exit(1);
}

#endif
