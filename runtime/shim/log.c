/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/cleanup.h"

#define RECORDS_MAX 64 /* in one write */

int shim_log_open(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? err_set(err, errno, "open log %s", path) : fd;
}

/* Like writev, but all of it; changes the vector. */
static int write_vector(int fd, struct iovec *iov, int count)
{
	while (count) {
		ssize_t n = writev(fd, iov, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		while (count && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int shim_log_append(int fd, const char *stream, const void *data, size_t len)
{
	const char *p = data, *end = p + len;
	char time[CLOCK_RFC3339_SIZE], head[2][64];
	size_t head_len[2];

	clock_format(clock_realtime_ns(), time);
	head_len[0] = (size_t)snprintf(head[0], sizeof(head[0]), "%s %s F ", time, stream);
	head_len[1] = (size_t)snprintf(head[1], sizeof(head[1]), "%s %s P ", time, stream);
	while (p < end) {
		struct iovec iov[RECORDS_MAX * 2 + 1];
		int count = 0, r;

		while (p < end && count < RECORDS_MAX * 2) {
			const char *newline = memchr(p, '\n', (size_t)(end - p));
			const char *stop = newline ? newline + 1 : end;
			bool partial = !newline;

			iov[count++] = (struct iovec){ head[partial], head_len[partial] };
			iov[count++] = (struct iovec){ (char *)(uintptr_t)p, (size_t)(stop - p) };
			p = stop;
			if (partial)
				iov[count++] = (struct iovec){ (char *)(uintptr_t) "\n", 1 };
		}
		r = write_vector(fd, iov, count);
		if (r < 0)
			return r;
	}
	return 0;
}
