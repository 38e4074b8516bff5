/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of ours that starts often is linked with musl, which starts in 0.1 ms where glibc takes
 * 0.4 in a virtual machine (its CPUID questions trap), touches 10 pages instead of 30, and is of
 * half the size. Here is what musl lacks: some texts and names, and the functions by which objects
 * compiled with _FORTIFY_SOURCE, such as yajl's of the distribution, check what they copy.
 */
/* Here the calls mean what musl does. */
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef strerror

char *musl_strerror(int code)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ EIO, "Input/output error" },
		{ ECHILD, "No child processes" },
		{ ENOMEM, "Cannot allocate memory" },
		{ EBUSY, "Device or resource busy" },
		{ EXDEV, "Invalid cross-device link" },
		{ EMFILE, "Too many open files" },
		{ ENFILE, "Too many open files in system" },
		{ ENOTTY, "Inappropriate ioctl for device" },
		{ ESPIPE, "Illegal seek" },
		{ EDOM, "Numerical argument out of domain" },
		{ ERANGE, "Numerical result out of range" },
		{ EDEADLK, "Resource deadlock avoided" },
		{ ENAMETOOLONG, "File name too long" },
		{ ELOOP, "Too many levels of symbolic links" },
		{ EOVERFLOW, "Value too large for defined data type" },
		{ EOPNOTSUPP, "Operation not supported" },
		{ ENOTSOCK, "Socket operation on non-socket" },
		{ EADDRINUSE, "Address already in use" },
		{ ECONNRESET, "Connection reset by peer" },
		{ ETIMEDOUT, "Connection timed out" },
		{ EHOSTUNREACH, "No route to host" },
		{ EDQUOT, "Disk quota exceeded" },
		{ ENOKEY, "Required key not available" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			return (char *)texts[i].text;
	return strerror(code);
}

const char *sigabbrev_np(int sig)
{
	static const char names[][8] = {
		[SIGHUP] = "HUP",     [SIGINT] = "INT",	      [SIGQUIT] = "QUIT",
		[SIGILL] = "ILL",     [SIGTRAP] = "TRAP",     [SIGABRT] = "ABRT",
		[SIGBUS] = "BUS",     [SIGFPE] = "FPE",	      [SIGKILL] = "KILL",
		[SIGUSR1] = "USR1",   [SIGSEGV] = "SEGV",     [SIGUSR2] = "USR2",
		[SIGPIPE] = "PIPE",   [SIGALRM] = "ALRM",     [SIGTERM] = "TERM",
		[SIGCHLD] = "CHLD",   [SIGSTKFLT] = "STKFLT", [SIGCONT] = "CONT",
		[SIGSTOP] = "STOP",   [SIGTSTP] = "TSTP",     [SIGTTIN] = "TTIN",
		[SIGTTOU] = "TTOU",   [SIGURG] = "URG",	      [SIGXCPU] = "XCPU",
		[SIGXFSZ] = "XFSZ",   [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF",
		[SIGWINCH] = "WINCH", [SIGIO] = "POLL",	      [SIGPWR] = "PWR",
		[SIGSYS] = "SYS",
	};

	if (sig <= 0 || (size_t)sig >= sizeof(names) / sizeof(names[0]))
		return NULL;
	return names[sig][0] ? names[sig] : NULL;
}

/* ---- what the compiler calls where it cannot see the size ---- */

void *__memcpy_chk(void *to, const void *from, size_t n, size_t size);
void *__memmove_chk(void *to, const void *from, size_t n, size_t size);
void *__memset_chk(void *to, int c, size_t n, size_t size);
char *__strcpy_chk(char *to, const char *from, size_t size);
int __vsnprintf_chk(char *to, size_t n, int flag, size_t size, const char *format, va_list args);
int __snprintf_chk(char *to, size_t n, int flag, size_t size, const char *format, ...);
int __sprintf_chk(char *to, int flag, size_t size, const char *format, ...);

static void check(size_t n, size_t size)
{
	static const char text[] = "buffer overflow detected\n";

	if (n <= size)
		return;
	fwrite(text, 1, sizeof(text) - 1, stderr);
	abort();
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t size)
{
	check(n, size);
	return memcpy(to, from, n);
}

void *__memmove_chk(void *to, const void *from, size_t n, size_t size)
{
	check(n, size);
	return memmove(to, from, n);
}

void *__memset_chk(void *to, int c, size_t n, size_t size)
{
	check(n, size);
	return memset(to, c, n);
}

char *__strcpy_chk(char *to, const char *from, size_t size)
{
	check(strlen(from) + 1, size);
	return strcpy(to, from);
}

int __vsnprintf_chk(char *to, size_t n, int flag, size_t size, const char *format, va_list args)
{
	(void)flag;
	check(n, size);
	return vsnprintf(to, n, format, args);
}

int __snprintf_chk(char *to, size_t n, int flag, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = __vsnprintf_chk(to, n, flag, size, format, args);
	va_end(args);
	return len;
}

int __sprintf_chk(char *to, int flag, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = vsnprintf(to, size, format, args);
	va_end(args);
	check(len < 0 ? 0 : (size_t)len + 1, size);
	return len;
}
