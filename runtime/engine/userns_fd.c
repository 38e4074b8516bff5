/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/userns_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/process.h"
#include "runtime/engine/id_ranges.h"

int userns_write_maps(pid_t pid, uint32_t base, struct err *err)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char path[64], text[64];
	int r = 0;

	snprintf(text, sizeof(text), "0 %u %u\n", base, ID_RANGE_SIZE);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		r = file_write(AT_FDCWD, path, text, err);
	}
	return r;
}

int userns_fd_open(uint32_t base, struct err *err)
{
	_cleanup_fd_ int pidfd = -1;
	pid_t parent = getpid(), pid = process_clone(CLONE_NEWUSER, -1, &pidfd);
	char path[64];
	int status, r, fd = -1;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		while (getppid() == parent)
			pause();
		_exit(1);
	}
	if (pid < 0)
		return err_set(err, -pid, "make a user namespace");
	r = userns_write_maps(pid, base, err);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (r == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			r = err_set(err, errno, "open %s", path);
	}
	process_pidfd_signal(pidfd, SIGKILL);
	process_wait(pidfd, &status);
	return r < 0 ? r : fd;
}
