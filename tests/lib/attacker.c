/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enemy of tests/integration/escape.sh: a static program that is put into root file systems and
 * tries one thing a word. It prints what it reached, one line each; nothing is what we like best.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void result(const char *what, long r)
{
	printf("%s %s\n", what, r < 0 ? strerrorname_np(errno) ?: "?" : "works");
}

/* Calls that a confined root must not have. */
static int calls(void)
{
	struct {
		unsigned long flags, rest[10];
	} clone_args = { .flags = 0 };
	static char params[256];

	result("unshare-user", unshare(CLONE_NEWUSER));
	result("unshare-mount", unshare(CLONE_NEWNS));
	result("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
	result("umount", umount2("/proc", MNT_DETACH));
	result("remount", mount("none", "/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	result("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	result("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	result("clone3", syscall(SYS_clone3, &clone_args, 7));
	result("io_uring", syscall(SYS_io_uring_setup, 4, params));
	result("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	result("add_key", syscall(SYS_add_key, "user", "escape", "x", 1, -3));
	result("bpf", syscall(SYS_bpf, 0, params, sizeof(params)));
	result("perf", syscall(SYS_perf_event_open, params, 0, -1, -1, 0));
	result("open_by_handle", syscall(SYS_open_by_handle_at, AT_FDCWD, params, 0));
	result("kexec", syscall(SYS_kexec_load, 0, 0, 0, 0));
	result("init_module", syscall(SYS_init_module, params, 0, ""));
	result("userfaultfd", syscall(SYS_userfaultfd, 0));
	result("setns", setns(0, 0));
	result("sethostname", sethostname("x", 1));
	result("settime", syscall(SYS_clock_settime, CLOCK_REALTIME, params));
	result("swapon", syscall(SYS_swapon, "/x", 0));
	result("reboot", syscall(SYS_reboot, 0, 0, 0, 0));
	result("pivot", syscall(SYS_pivot_root, ".", "."));
	result("nice", setpriority(PRIO_PROCESS, 0, -10));
	return 0;
}

/* Descriptors above stdio. */
static int fds(void)
{
	char path[64], target[512];

	for (int fd = 3; fd < 4096; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf("fd %d %s\n", fd, target);
	}
	return 0;
}

static int is_init(const char *pid)
{
	char path[300], comm[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, comm, sizeof(comm) - 1) < 0)
		comm[0] = '\0';
	close(fd);
	return strncmp(comm, "cellar-init", 11) == 0;
}

static uint64_t capabilities(const char *pid)
{
	char path[300], text[4096] = "", *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	at = strstr(text, "CapPrm:");
	return at ? strtoull(at + 7, NULL, 16) : 0;
}

static uint64_t seen_caps;

static void attack(const char *pid, uint64_t ours)
{
	static const char *const files[] = { "mem", "environ", "maps", "root", "cwd", "exe" };
	char path[300];
	uint64_t theirs = capabilities(pid);

	seen_caps |= theirs & ~ours;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/%s", pid, files[i]);
		fd = open(path, i == 0 ? O_RDWR : O_RDONLY);
		/* What is no cellar-init any more was the program's at that time already. */
		if (fd >= 0 && !is_init(pid)) {
			close(fd);
			return;
		}
		if (fd >= 0)
			printf("opened %s\n", files[i]);
		if (fd >= 0 && strcmp(files[i], "exe") == 0 &&
		    (close(fd), fd = open(path, O_RDWR)) >= 0)
			printf("opened exe for writing\n");
		if (fd >= 0)
			close(fd);
	}
	if (ptrace(PTRACE_SEIZE, atoi(pid), 0, 0) == 0) {
		if (is_init(pid))
			printf("traced\n");
		ptrace(PTRACE_DETACH, atoi(pid), 0, 0);
	}
}

/* Hunts cellar-init in /proc until the file /tmp/stop appears, or the time is over. */
static int hunt(int seconds)
{
	long end = now_ms() + seconds * 1000L, met = 0;
	uint64_t ours = capabilities("self");

	while (now_ms() < end && access("/tmp/stop", F_OK) < 0) {
		DIR *dir = opendir("/proc");
		struct dirent *e;

		while (dir && (e = readdir(dir))) {
			if (e->d_name[0] < '1' || e->d_name[0] > '9' || !is_init(e->d_name))
				continue;
			met++;
			attack(e->d_name, ours);
		}
		closedir(dir);
		/* What we trace is ours to reap first; else who started it waits for us. */
		while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
			;
	}
	printf("capabilities above ours %lx\n", (unsigned long)seen_caps);
	printf("met %s\n", met ? "yes" : "no");
	fflush(stdout);
	return 0;
}

/* Lives on through every signal there is, with children that do the same. */
static _Noreturn void stubborn(int children)
{
	for (int sig = 1; sig < 65; sig++)
		signal(sig, SIG_IGN);
	printf("ready\n");
	fflush(stdout);
	for (int i = 0; i < children; i++)
		if (fork() == 0) {
			setsid();
			break;
		}
	for (;;)
		pause();
}

static _Noreturn void bomb(void)
{
	signal(SIGTERM, SIG_IGN);
	printf("ready\n");
	fflush(stdout);
	for (;;)
		if (fork() < 0)
			usleep(20000);
}

static int tiocsti(void)
{
	int fd = open("/dev/tty", O_RDWR);

	result("tty", fd);
	result("tiocsti", ioctl(fd >= 0 ? fd : 0, TIOCSTI, "x"));
	result("take", ioctl(0, TIOCSCTTY, 1));
	return 0;
}

/* Who am I when executed with the setuid bit? */
static int ids(void)
{
	printf("uid %d euid %d gid %d egid %d\n", getuid(), geteuid(), getgid(), getegid());
	return 0;
}

/* The session keyring's name, or why not. */
static int keyring(void)
{
	char text[256] = "";

	if (syscall(SYS_keyctl, 6, -3, text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "%s", strerrorname_np(errno) ?: "?");
	puts(text);
	result("search", syscall(SYS_keyctl, 10, -3, "user", "cellar-escape", 0));
	return 0;
}

/* Opens a file for writing and says whether. */
static int try_write(char **paths)
{
	for (; *paths; paths++) {
		int fd = open(*paths, O_WRONLY);

		if (fd >= 0 && (write(fd, "0\n", 2) >= 0 || errno != EINVAL))
			printf("wrote %s\n", *paths);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* Lets two names change places until it is killed. */
static _Noreturn void exchange(const char *a, const char *b)
{
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

/* Folders in folders, and goes to live in the last if that is a cgroup. */
static int nest(const char *folder, int depth)
{
	int fd, n = 0;

	if (chdir(folder) < 0)
		return 1;
	while (n < depth && mkdir("d", 0755) == 0 && chdir("d") == 0)
		n++;
	fd = open("cgroup.procs", O_WRONLY);
	printf("nested %d%s\n", n, fd >= 0 && write(fd, "0", 1) == 1 ? ", joined" : "");
	pause();
	return 0;
}

/* Closes its standard descriptors, blocks signals, and becomes a program: a bad caller. */
static int caller(char **argv)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int sig = 1; sig < 65; sig++)
		signal(sig, SIG_IGN);
	for (const char *p = argv[0]; *p; p++)
		if (*p >= '0' && *p <= '2')
			close(*p - '0');
	execvp(argv[1], argv + 1);
	return 127;
}

/* Runs argv with a pty as its terminal; what it says goes to stdout. */
static int pty(char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), status;
	char buf[4096];
	ssize_t n;
	pid_t pid;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return 2;
	pid = fork();
	if (pid == 0) {
		int slave;

		setsid();
		slave = open(ptsname(master), O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		close(master);
		if (slave > 2)
			close(slave);
		execvp(argv[0], argv);
		_exit(127);
	}
	while ((n = read(master, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)n) < 0)
			break;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Bytes without a newline, as fast as they are taken. */
static int flood(long mib)
{
	static char buf[1 << 20];

	memset(buf, 'A', sizeof(buf));
	for (long i = 0; i < mib || mib == 0; i++)
		if (write(1, buf, sizeof(buf)) < 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(word, "calls") == 0)
		return calls();
	if (strcmp(word, "fds") == 0)
		return fds();
	if (strcmp(word, "hunt") == 0)
		return hunt(number);
	if (strcmp(word, "stubborn") == 0)
		stubborn(number);
	if (strcmp(word, "bomb") == 0)
		bomb();
	if (strcmp(word, "tiocsti") == 0)
		return tiocsti();
	if (strcmp(word, "keyring") == 0)
		return keyring();
	if (strcmp(word, "write") == 0)
		return try_write(argv + 2);
	if (strcmp(word, "nest") == 0 && argc == 4)
		return nest(argv[2], atoi(argv[3]));
	if (strcmp(word, "exchange") == 0 && argc == 4)
		exchange(argv[2], argv[3]);
	if (strcmp(word, "caller") == 0)
		return caller(argv + 2);
	if (strcmp(word, "pty") == 0)
		return pty(argv + 2);
	if (strcmp(word, "flood") == 0)
		return flood(number);
	return ids();
}
