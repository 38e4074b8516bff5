/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

bool path_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 255 && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

int path_open_in_root(int rootfd, const char *path, uint64_t flags, uint32_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* EAGAIN: a rename raced with the walk, and the kernel could not prove it stayed inside. */
	for (int tries = 0; tries < 128; tries++) {
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

int path_open_file_in_root(int rootfd, const char *path)
{
	_cleanup_fd_ int place = path_open_in_root(rootfd, path, O_PATH, 0);
	char again[PATH_FD_SIZE];
	struct stat st;
	int fd;

	if (place < 0)
		return place;
	if (fstat(place, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd = open(path_of_fd(place, again), O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

char *path_of_fd(int fd, char buf[static PATH_FD_SIZE])
{
	snprintf(buf, PATH_FD_SIZE, "/proc/self/fd/%d", fd);
	return buf;
}

int path_join(char *buf, size_t size, const char *a, const char *b, struct err *err)
{
	size_t len = strlen(a);

	while (len > 0 && a[len - 1] == '/')
		len--;
	while (*b == '/')
		b++;
	if ((size_t)snprintf(buf, size, "%.*s/%s", (int)len, a, b) >= size)
		return err_set(err, ENAMETOOLONG, "path %s/%s", a, b);
	return 0;
}

void path_clean(char *path)
{
	bool rooted = path[0] == '/';
	char *start = path + rooted, *out = start;
	char *base = start; /* behind leading ".." of a relative path, which nothing takes back */
	const char *in = start;

	while (*in) {
		size_t len = strcspn(in, "/");
		bool up = len == 2 && in[0] == '.' && in[1] == '.';

		if (up && out > base) {
			while (out > base && *--out != '/')
				;
		} else if (len > 0 && !(len == 1 && in[0] == '.') && !(up && rooted)) {
			if (out > start)
				*out++ = '/';
			memmove(out, in, len);
			out += len;
			if (up)
				base = out;
		}
		in += len;
		while (*in == '/')
			in++;
	}
	if (out == path)
		*out++ = '.';
	*out = '\0';
}
