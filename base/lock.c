/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"

int lock_file(int dirfd, const char *path, bool shared, bool nowait, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_set(err, errno, "open lock %s", path);
	do
		r = flock(fd, (shared ? LOCK_SH : LOCK_EX) | (nowait ? LOCK_NB : 0));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, errno, "lock %s", path);
	return take_fd(&fd);
}
