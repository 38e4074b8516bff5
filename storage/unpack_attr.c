/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of unpacked entries. The owner comes first, because chown takes setuid bits and file
 * capabilities away; the time comes last.
 */
#include "storage/unpack_attr.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/log.h"
#include "storage/disk.h"

static int fail(const struct unpack_tree *tree, struct err *err, int code, const char *what)
{
	return store_set_error(err, tree->store_root, code, "%s", what);
}

/* trusted.* steers overlay and must not come from outside, nor user.overlay.*; labels and hashes
 * of another host (security.selinux, security.ima) mean nothing here. */
static bool xattr_is_wanted(const char *name)
{
	if (strncmp(name, "user.", 5) == 0)
		return strncmp(name, "user.overlay.", 13) != 0;
	return strcmp(name, "security.capability") == 0;
}

static int set_xattrs(const struct unpack_tree *tree, const struct unpack_entry *e, int fd,
		      struct err *err)
{
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(e->entry);
	while (archive_entry_xattr_next(e->entry, &name, &value, &size) == 0) {
		if (!name || !xattr_is_wanted(name))
			continue;
		if (fsetxattr(fd, name, value, size, 0) == 0)
			continue;
		if (errno != ENOTSUP && errno != EOPNOTSUPP)
			return fail(tree, err, errno, "set an extended attribute of it");
		log_debug("%s/%s: no place for attribute %s on this file system", e->folder,
			  e->name, name);
	}
	return 0;
}

int unpack_attr_set(const struct unpack_tree *tree, const struct unpack_entry *e, int fd,
		    struct err *err)
{
	struct timespec times[2] = { e->mtime, e->mtime };

	if (fchown(fd, e->uid, e->gid) < 0)
		return fail(tree, err, errno, "set its owner");
	if (fchmod(fd, archive_entry_perm(e->entry) & 07777) < 0)
		return fail(tree, err, errno, "set its mode");
	err_try(set_xattrs(tree, e, fd, err));
	if (futimens(fd, times) < 0)
		return fail(tree, err, errno, "set its time");
	return 0;
}

int unpack_attr_set_at(const struct unpack_tree *tree, const struct unpack_entry *e, int dir,
		       bool has_mode, struct err *err)
{
	struct timespec times[2] = { e->mtime, e->mtime };

	if (fchownat(dir, e->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(tree, err, errno, "set its owner");
	/* fchmodat would follow a symlink: this is a node that we have just made. */
	if (has_mode && fchmodat(dir, e->name, archive_entry_perm(e->entry) & 07777, 0) < 0)
		return fail(tree, err, errno, "set its mode");
	if (utimensat(dir, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(tree, err, errno, "set its time");
	return 0;
}
