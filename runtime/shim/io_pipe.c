/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io_pipe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

int io_pipe_make(bool input, struct io_pipe *ret, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for a container");
	*ret = (struct io_pipe){ .ours = fds[input ? 1 : 0], .child = fds[input ? 0 : 1] };
	if (fcntl(ret->ours, F_SETFL, O_NONBLOCK) < 0) {
		close(fds[0]);
		close(fds[1]);
		return err_set(err, errno, "set up a pipe for a container");
	}
	return 0;
}

/* A pipe can be opened again by the link to it, with any direction, as a FIFO can. */
static int reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC | flags);
}

int io_pipe_make_lasting(struct io_pipe *ret, struct err *err)
{
	_cleanup_fd_ int reader = -1, writer = -1, ours = -1;
	int fds[2], child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for a container");
	reader = fds[0];
	writer = fds[1];
	ours = reopen(reader, O_NONBLOCK);
	child = ours < 0 ? -1 : reopen(reader, 0);
	if (child < 0)
		return err_set(err, errno, "open a pipe for a container again");
	*ret = (struct io_pipe){ .ours = take_fd(&ours), .child = child };
	return 0;
}

int io_pipe_reopen(int ours, struct err *err)
{
	int fd = reopen(ours, 0);

	return fd < 0 ? err_set(err, errno, "open a pipe for a container again") : fd;
}

/* A FIFO may have any number, that of our pipe, too. */
uint64_t io_pipe_inode(int fd)
{
	struct statfs fs;
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fstatfs(fd, &fs) == 0 &&
			       fs.f_type == PIPEFS_MAGIC
		       ? st.st_ino
		       : 0;
}

/* Which of the three the link is; -1: none. */
static int match(int dirfd, const char *name, const uint64_t inodes[static 3])
{
	char link[64];
	unsigned long long inode;
	ssize_t n = readlinkat(dirfd, name, link, sizeof(link) - 1);

	if (n < 0)
		return -1;
	link[n] = '\0';
	if (sscanf(link, "pipe:[%llu]", &inode) != 1)
		return -1;
	for (int i = 0; i < 3; i++)
		if (inodes[i] && inodes[i] == inode)
			return i;
	return -1;
}

/* True once all are found. */
static bool search(pid_t pid, const uint64_t inodes[static 3], int fds[static 3])
{
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[32];
	int left = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		int i = isdigit((unsigned char)entry->d_name[0])
				? match(dirfd(dir), entry->d_name, inodes)
				: -1;

		if (i < 0 || fds[i] >= 0)
			continue;
		fds[i] = openat(dirfd(dir), entry->d_name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		/* The process may have put something else there meanwhile. */
		if (fds[i] >= 0 && io_pipe_inode(fds[i]) != inodes[i])
			close(take_fd(&fds[i]));
	}
	for (int i = 0; i < 3; i++)
		left += inodes[i] && fds[i] < 0;
	return left == 0;
}

void io_pipe_find(const pid_t *pids, size_t count, const uint64_t inodes[static 3],
		  int ret_fds[static 3])
{
	for (int i = 0; i < 3; i++)
		ret_fds[i] = -1;
	for (size_t i = 0; i < count && !search(pids[i], inodes, ret_fds); i++)
		;
}
