/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bottom.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "storage/disk.h"

#define FOLDER "bottom"

/* In the order they are made: when the last is there, all are. */
static const struct {
	const char *path;
	bool is_folder;
} entries[] = {
	{ "proc", true },
	{ "sys", true },
	{ "dev", true },
	{ "etc", true },
	{ "etc/hosts", false },
	{ "etc/hostname", false },
	{ "etc/resolv.conf", false },
};

/* Modes are set here, since the caller's umask may be any. */
static int make_folder(int dirfd, const char *path)
{
	if (mkdirat(dirfd, path, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return fchmodat(dirfd, path, 0755, 0) < 0 ? -errno : 0;
}

static int make_file(int dirfd, const char *path)
{
	_cleanup_fd_ int fd =
		openat(dirfd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 || fchmod(fd, 0644) < 0 ? -errno : 0;
}

int bottom_make(struct store *store, struct err *err)
{
	static const char last[] = FOLDER "/etc/resolv.conf";
	int links = store_folder(store, STORE_LINKS, err), r;
	_cleanup_fd_ int dirfd = -1;

	if (links < 0)
		return links;
	if (faccessat(links, last, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	r = make_folder(links, FOLDER);
	dirfd = r < 0 ? -1 : dir_open(links, FOLDER, err);
	if (r == 0 && dirfd < 0)
		return dirfd;
	for (size_t i = 0; i < ARRAY_SIZE(entries) && r == 0; i++)
		r = entries[i].is_folder ? make_folder(dirfd, entries[i].path)
					 : make_file(dirfd, entries[i].path);
	return r < 0 ? store_set_error(err, store->root, -r, "make %s/" BOTTOM_LAYER, store->root)
		     : 0;
}
