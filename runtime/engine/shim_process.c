/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/shim_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/program.h"
#include "runtime/engine/layout.h"
#include "runtime/shim/client.h"

#define ARGUMENTS_LIMIT 8192
#define DEATH_WAIT_MS 10000

int shim_process_start(const char *runroot, const char *id, const char *folder, bool adopt,
		       struct shim_client **ret, struct err *err)
{
	_cleanup_free_ char *address = NULL;
	char binary[PATH_MAX], socket_dir[PATH_MAX];
	const struct shim_start_options start = {
		.binary = binary,
		.namespace_ = LAYOUT_SHIM_NAMESPACE,
		.id = id,
		.bundle = folder,
		.socket_dir = socket_dir,
		.debug = log_get_level() <= LOG_LEVEL_DEBUG,
		.adopt = adopt,
	};
	int r = program_find(LAYOUT_SHIM_PROGRAM, binary, err);

	if (r == 0)
		r = layout_path(socket_dir, runroot, LAYOUT_SHIM, NULL, err);
	if (r == 0)
		r = dir_create(AT_FDCWD, socket_dir, 0700, err);
	if (r == 0)
		r = shim_start_process(&start, &address, err);
	return r < 0 ? r : shim_connect(address, ret, err);
}

/* argv as the kernel gives it: LAYOUT_SHIM_PROGRAM ... -id ID ... */
static bool is_shim_of(const char *argv, size_t len, const char *id)
{
	const char *end = argv + len, *slash = strrchr(argv, '/');

	if (strcmp(slash ? slash + 1 : argv, LAYOUT_SHIM_PROGRAM) != 0)
		return false;
	for (const char *word = argv; word < end; word += strlen(word) + 1) {
		const char *next = word + strlen(word) + 1;

		if (strcmp(word, "-id") == 0)
			return next < end && strcmp(next, id) == 0;
	}
	return false;
}

/* A pidfd of the process when it is the shim, else -1. */
static int open_shim(int proc_fd, const char *pid, const char *id)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *argv = NULL;
	char path[32];
	struct stat st;
	size_t len;

	snprintf(path, sizeof(path), "%.10s/cmdline", pid);
	/* Before the look, so that the pid cannot change hands after it. */
	fd = process_pidfd_open(atoi(pid));
	if (fd < 0 || fstatat(proc_fd, pid, &st, 0) < 0 || st.st_uid != geteuid() ||
	    file_read(proc_fd, path, ARGUMENTS_LIMIT, &argv, &len, NULL) < 0 ||
	    !is_shim_of(argv, len, id))
		return -1;
	return take_fd(&fd);
}

int shim_process_kill(const char *id, struct err *err)
{
	_cleanup_dir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	if (!dir)
		return err_set(err, errno, "list processes");
	while ((entry = readdir(dir))) {
		_cleanup_fd_ int pidfd = isdigit((unsigned char)entry->d_name[0])
						 ? open_shim(dirfd(dir), entry->d_name, id)
						 : -1;
		struct pollfd death = { .fd = pidfd, .events = POLLIN };

		if (pidfd < 0 || process_pidfd_signal(pidfd, SIGKILL) < 0)
			continue;
		found++;
		if (poll(&death, 1, DEATH_WAIT_MS) == 0)
			return err_say(err, ETIMEDOUT, "its supervisor, process %s, does not die",
				       entry->d_name);
	}
	return found;
}
