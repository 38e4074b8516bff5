/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILES_MAX 1000

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static int add(struct log_files *files, int fd)
{
	int *fds = realloc(files->fds, (files->count + 1) * sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	files->fds = fds;
	files->fds[files->count++] = fd;
	return 0;
}

static void reverse(struct log_files *files)
{
	for (size_t i = 0; i < files->count / 2; i++) {
		int fd = files->fds[i];

		files->fds[i] = files->fds[files->count - 1 - i];
		files->fds[files->count - 1 - i] = fd;
	}
}

/*
 * From the newest to the oldest: a rotation in the midst then shows a file twice, which can be told
 * from its identity, and hides none. stop_fd: the file at which to stop; -1: none.
 */
static int collect(const char *path, int stop_fd, struct log_files *ret, bool *ret_stopped,
		   struct err *err)
{
	char name[PATH_MAX];

	*ret_stopped = false;
	for (unsigned n = 0; n < FILES_MAX; n++) {
		_cleanup_fd_ int fd = -1;

		snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		/* Between two renames there may be no newest one. */
		if (fd < 0 && errno == ENOENT && n == 0)
			continue;
		if (fd < 0 && errno == ENOENT)
			break;
		if (fd < 0)
			return err_set(err, errno, "open %s", name);
		if (stop_fd >= 0 && is_same(fd, stop_fd)) {
			*ret_stopped = true;
			break;
		}
		if (ret->count && is_same(fd, ret->fds[ret->count - 1]))
			continue;
		if (add(ret, fd) < 0)
			return err_set(err, ENOMEM, "read the log");
		take_fd(&fd);
	}
	reverse(ret);
	return 0;
}

int log_files_open(const char *path, struct log_files *ret, struct err *err)
{
	_cleanup_log_files_ struct log_files files = { 0 };
	bool stopped;
	int r = collect(path, -1, &files, &stopped, err);

	if (r < 0)
		return r;
	*ret = files;
	files = (struct log_files){ 0 };
	return 0;
}

int log_files_open_after(const char *path, int fd, struct log_files *ret, bool *ret_gap,
			 struct err *err)
{
	_cleanup_log_files_ struct log_files files = { 0 };
	bool stopped;
	int r = collect(path, fd, &files, &stopped, err);

	if (r < 0)
		return r;
	*ret_gap = !stopped;
	*ret = files;
	files = (struct log_files){ 0 };
	return 0;
}

void log_files_close(struct log_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		close(files->fds[i]);
	free(files->fds);
	*files = (struct log_files){ 0 };
}
