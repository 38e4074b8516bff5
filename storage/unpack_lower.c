/* SPDX-License-Identifier: Apache-2.0 */
/* Looking a path up in a stack of unpacked layers, as overlay does. */
#include "storage/unpack_lower.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "storage/opaque.h"

enum found { ABSENT, HIDDEN, FOUND };

static bool is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, opaque_mark(), &value, 1) == 1 && value == 'y';
}

static int read_target(int dirfd, const char *name, struct unpack_lower *ret)
{
	ssize_t n = readlinkat(dirfd, name, ret->target, sizeof(ret->target) - 1);

	if (n < 0)
		return -errno;
	ret->target[n] = '\0';
	return FOUND;
}

/* In one layer. HIDDEN: not here, and the layers below this one don't count. */
static int find_in(int fs_fd, const char *path, struct unpack_lower *ret)
{
	_cleanup_fd_ int dir = fcntl(fs_fd, F_DUPFD_CLOEXEC, 3);
	enum found missing = ABSENT;

	if (dir < 0)
		return -errno;
	for (;;) {
		size_t len = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int next;

		if (is_opaque(dir))
			missing = HIDDEN;
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, len);
		name[len] = '\0';
		if (fstatat(dir, name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? (int)missing : -errno;
		if (S_ISCHR(ret->st.st_mode) && ret->st.st_rdev == makedev(0, 0))
			return HIDDEN;
		if (path[len] == '\0')
			return S_ISLNK(ret->st.st_mode) ? read_target(dir, name, ret) : FOUND;
		if (!S_ISDIR(ret->st.st_mode))
			return HIDDEN;
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
		path += len + 1;
	}
}

int unpack_lower_find(const int *fds, size_t count, const char *path, struct unpack_lower *ret)
{
	for (size_t i = 0; i < count; i++) {
		int r = find_in(fds[i], path, ret);

		if (r < 0 || r == FOUND)
			return r < 0 ? r : 1;
		if (r == HIDDEN)
			return 0;
	}
	return 0;
}
