/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One container of a crowd, bare: the calls that the default bundle takes of the kernel, and
 *nothing else (no document is read, nothing checked, no state kept but a pid). What the kernel
 *takes for one more grows with their number, by lists of its own: a cpuset is compared with its
 *siblings, a new superblock with all of its type, pivot_root goes through all processes, the end of
 *a memory cgroup through the lists of all superblocks.
 *
 *	crowd create ROOTFS NAME PIDFILE	/bin/stay of the root file system, which has dev,
 *proc, sys crowd delete NAME PIDFILE
 *
 * For a network and a mount namespace of the caller's own. NAME names the cgroups.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TOP "/sys/fs/cgroup"
#define HIERARCHIES_MAX 16

static char hierarchies[HIERARCHIES_MAX][64]; /* "/memory"; "" where TOP is one itself */
static int hierarchies_count;
static const char *rootfs, *name;

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = -1;

	if (fd >= 0)
		r = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return r;
}

static void find_hierarchies(void)
{
	DIR *dir = opendir(TOP);
	struct dirent *e;
	struct stat st;
	char path[512];

	if (access(TOP "/cgroup.procs", F_OK) == 0) {
		hierarchies_count = 1;
		return;
	}
	while (dir && (e = readdir(dir)) && hierarchies_count < HIERARCHIES_MAX) {
		snprintf(path, sizeof(path), TOP "/%s/cgroup.procs", e->d_name);
		if (e->d_name[0] == '.' || access(path, F_OK) < 0 || strlen(e->d_name) > 60)
			continue;
		path[strlen(path) - strlen("/cgroup.procs")] = '\0';
		/* Two controllers of one hierarchy have symlinks beside it. */
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			sprintf(hierarchies[hierarchies_count++], "/%s", e->d_name);
	}
	if (dir)
		closedir(dir);
}

static void path_of(char *path, int hierarchy, const char *file)
{
	sprintf(path, TOP "%s/%s%s", hierarchies[hierarchy], name, file);
}

/* ---- one container ---- */

static void make_cgroups(void)
{
	static const char *const rules[] = { "c *:* m",	  "b *:* m",	"c 1:3 rwm", "c 1:5 rwm",
					     "c 1:7 rwm", "c 1:8 rwm",	"c 1:9 rwm", "c 5:0 rwm",
					     "c 5:2 rwm", "c 136:* rwm" };
	static const char *const sets[] = { "/cpuset.cpus", "/cpuset.mems" };
	char path[512], value[256];

	for (int i = 0; i < hierarchies_count; i++) {
		path_of(path, i, "");
		check(mkdir(path, 0755), path);
		for (int s = 0; strcmp(hierarchies[i], "/cpuset") == 0 && s < 2; s++) {
			int fd, len;

			sprintf(path, TOP "/cpuset%s", sets[s]);
			fd = open(path, O_RDONLY);
			len = (int)read(fd, value, sizeof(value) - 1);
			close(fd);
			value[len > 0 ? len : 0] = '\0';
			path_of(path, i, sets[s]);
			check(put(path, value), path);
		}
		if (strcmp(hierarchies[i], "/devices") != 0)
			continue;
		path_of(path, i, "/devices.deny");
		check(put(path, "a"), path);
		path_of(path, i, "/devices.allow");
		for (int r = 0; r < 10; r++)
			check(put(path, rules[r]), path);
	}
}

static void mounts(void)
{
	static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys" };
	static const char *const masks[] = { "proc/kcore", "proc/keys", "proc/timer_list" };
	char from[512], to[128];

	check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "make / a slave");
	check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind the root");
	check(chdir(rootfs), rootfs);
	check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
	check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k"), "dev");
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	check(mount("devpts", "dev/pts", "devpts", MS_NOSUID, "newinstance,ptmxmode=0666"), "pts");
	check(mount("shm", "dev/shm", "tmpfs", MS_NOSUID, "mode=1777,size=65536k"), "shm");
	check(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID, NULL), "mqueue");
	check(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_RDONLY, NULL), "sysfs");
	if (hierarchies[0][0])
		check(mount("tmpfs", "sys/fs/cgroup", "tmpfs", MS_NOSUID, "mode=755"), "cgroup");
	for (int i = 0; i < hierarchies_count; i++) {
		path_of(from, i, "");
		sprintf(to, "sys/fs/cgroup%s", hierarchies[i]);
		mkdir(to, 0755);
		check(mount(from, to, NULL, MS_BIND, NULL), to);
	}
	for (int i = 0; i < 6; i++) {
		sprintf(to, "dev/n%d", i);
		check(mknod(to, S_IFCHR | 0666, makedev(1, 3)), "mknod");
	}
	for (int i = 0; i < 4; i++)
		check(mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL), "bind");
	for (int i = 0; i < 3; i++)
		if (access(masks[i], F_OK) == 0)
			check(mount("dev/n0", masks[i], NULL, MS_BIND, NULL), "mask");
	check(mount("tmpfs", "sys/firmware", "tmpfs", MS_RDONLY, NULL), "mask");
}

static _Noreturn void init(void)
{
	char path[512], *args[] = { "stay", NULL };

	for (int i = 0; i < hierarchies_count; i++) {
		path_of(path, i, hierarchies[0][0] ? "/tasks" : "/cgroup.procs");
		if (access(path, F_OK) < 0)
			path_of(path, i, "/cgroup.procs");
		check(put(path, "0"), path);
	}
	setsid();
	mounts();
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "/");
	execve("/bin/stay", args, NULL);
	check(-1, "/bin/stay");
	_exit(1);
}

/* Returns when the program runs: our end of the pipe then closes. */
static void create(const char *pid_file)
{
	unsigned long flags =
		CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
	char byte, text[16];
	int fds[2];
	pid_t pid;

	make_cgroups();
	check(pipe2(fds, O_CLOEXEC), "pipe");
	pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	check(pid, "clone");
	if (pid == 0)
		init();
	close(fds[1]);
	check((int)read(fds[0], &byte, 1), "wait");
	sprintf(text, "%d", pid);
	close(open(pid_file, O_CREAT | O_WRONLY, 0600));
	check(put(pid_file, text), pid_file);
}

/* A v1 folder is busy for a moment after its last process has died. */
static void delete (const char *pid_file)
{
	FILE *f = fopen(pid_file, "r");
	int pid = 0, pidfd;
	char path[512];

	if (f && fscanf(f, "%d", &pid) == 1) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		struct pollfd p = { .fd = pidfd, .events = POLLIN };

		if (pidfd >= 0 && kill(pid, SIGKILL) == 0)
			poll(&p, 1, 30000);
	}
	for (int i = 0; i < hierarchies_count; i++) {
		path_of(path, i, "");
		for (int tries = 0; rmdir(path) < 0 && errno == EBUSY && tries < 100000; tries++)
			usleep(100);
	}
	unlink(pid_file);
}

int main(int argc, char **argv)
{
	find_hierarchies();
	if (argc == 5 && strcmp(argv[1], "create") == 0) {
		rootfs = argv[2];
		name = argv[3];
		create(argv[4]);
	} else if (argc == 4 && strcmp(argv[1], "delete") == 0) {
		name = argv[2];
		delete (argv[3]);
	} else {
		return 2;
	}
	return 0;
}
