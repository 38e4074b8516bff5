/* SPDX-License-Identifier: Apache-2.0 */
/* Files, folders, links, devices and whiteouts of a layer. No call here follows a symlink. */
#include "storage/unpack_entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/userns.h"
#include "storage/disk.h"
#include "storage/unpack_attr.h"

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define WHITEOUT_META ".wh..wh."

int unpack_entry_split(const char *path, char folder[static PATH_MAX],
		       char name[static NAME_MAX + 1], struct err *err)
{
	size_t out = 0;

	folder[0] = name[0] = '\0';
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0)
			return err_say(err, EBADMSG,
				       "its name has a '..', which a layer must not have");
		if (len > NAME_MAX)
			return err_set(err, ENAMETOOLONG, "its name has a part of %zu bytes", len);
		if (len > 0 && !(len == 1 && *path == '.')) {
			size_t before = strlen(name);

			if (out + before + 2 > PATH_MAX)
				return err_set(err, ENAMETOOLONG, "its name");
			if (before > 0) {
				if (out > 0)
					folder[out++] = '/';
				memcpy(folder + out, name, before + 1);
				out += before;
			}
			memcpy(name, path, len);
			name[len] = '\0';
		}
		path += len;
		path += strspn(path, "/");
	}
	return 0;
}

int unpack_entry_read(struct archive *tar, struct archive_entry *entry, uint64_t size_max,
		      struct unpack_entry *ret, struct err *err)
{
	const char *path = archive_entry_pathname(entry);
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	long nsec = archive_entry_mtime_nsec(entry);

	ret->tar = tar;
	ret->entry = entry;
	ret->size_max = size_max;
	if (!path || !*path)
		return err_say(err, EBADMSG, "it has no name");
	err_try(unpack_entry_split(path, ret->folder, ret->name, err));
	/* 2^32 - 1 means "leave as it is" to chown. */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_say(err, EBADMSG, "its owner is %lld:%lld, beyond what Linux has",
			       (long long)uid, (long long)gid);
	ret->uid = (uint32_t)uid;
	ret->gid = (uint32_t)gid;
	ret->mtime.tv_sec = archive_entry_mtime(entry);
	ret->mtime.tv_nsec = nsec >= 0 && nsec < 1000000000 ? nsec : 0;
	return 0;
}

static int fail(const struct unpack_tree *tree, struct err *err, int code, const char *what)
{
	return store_set_error(err, tree->store_root, code, "%s", what);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

enum place { PLACE_FREE, PLACE_FOLDER, PLACE_WHITEOUT };

/* Removes what is in the way. FOLDER: a folder is there, and wanted. WHITEOUT: there was one. */
static int clear_place(struct unpack_tree *tree, int dir, const char *name, bool want_folder,
		       struct err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? (int)PLACE_FREE : fail(tree, err, errno, "look it up");
	if (S_ISDIR(st.st_mode)) {
		if (want_folder)
			return PLACE_FOLDER;
		err_try(tree_remove(dir, name, err));
		return PLACE_FREE;
	}
	if (unlinkat(dir, name, 0) < 0)
		return fail(tree, err, errno, "replace what was there");
	return is_whiteout(&st) ? PLACE_WHITEOUT : PLACE_FREE;
}

static int write_data(struct unpack_tree *tree, const struct unpack_entry *e, int fd,
		      struct err *err)
{
	int64_t size = archive_entry_size(e->entry), offset;
	const void *data;
	size_t len;
	int r;

	if (size < 0 || (uint64_t)size > e->size_max)
		return err_say(err, EFBIG, "it has %lld bytes: the limit is %llu", (long long)size,
			       (unsigned long long)e->size_max);
	while ((r = archive_read_data_block(e->tar, &data, &len, &offset)) != ARCHIVE_EOF) {
		/* The stream below libarchive has told already what it found wrong. */
		if (r < ARCHIVE_WARN && err->code)
			return -err->code;
		if (r < ARCHIVE_WARN)
			return err_say(err, EBADMSG, "read its data: %s",
				       archive_error_string(e->tar));
		if (offset < 0 || offset > size || (int64_t)len > size - offset)
			return err_say(err, EBADMSG, "it has more data than the %lld bytes it says",
				       (long long)size);
		for (size_t done = 0; done < len;) {
			ssize_t n = pwrite(fd, (const char *)data + done, len - done,
					   offset + (int64_t)done);

			if (n < 0 && errno != EINTR)
				return fail(tree, err, errno, "write it");
			done += n > 0 ? (size_t)n : 0;
		}
	}
	/* A sparse file may end in a hole. */
	return ftruncate(fd, size) < 0 ? fail(tree, err, errno, "write it") : 0;
}

static int make_file(struct unpack_tree *tree, const struct unpack_entry *e, int dir,
		     struct err *err)
{
	_cleanup_fd_ int fd = -1;

	err_try(clear_place(tree, dir, e->name, false, err));
	fd = openat(dir, e->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(tree, err, errno, "create it");
	err_try(write_data(tree, e, fd, err));
	return unpack_attr_set(tree, e, fd, err);
}

static int make_folder(struct unpack_tree *tree, const struct unpack_entry *e, int dir,
		       struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int place = PLACE_FOLDER, r;

	if (e->name[0]) {
		place = clear_place(tree, dir, e->name, true, err);
		if (place < 0)
			return place;
		if (place != PLACE_FOLDER && mkdirat(dir, e->name, 0700) < 0)
			return fail(tree, err, errno, "create it");
	}
	fd = openat(dir, e->name[0] ? e->name : ".",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(tree, err, errno, "open it");
	/* Removed and made anew by one layer: what the layers below have there stays hidden. */
	if (place == PLACE_WHITEOUT && (r = unpack_set_opaque(fd)) < 0)
		return fail(tree, err, -r, "mark it opaque");
	err_try(unpack_attr_set(tree, e, fd, err));
	return unpack_tree_note_mtime(tree, tree->folder_path, e->name, e->mtime, err);
}

static int make_symlink(struct unpack_tree *tree, const struct unpack_entry *e, int dir,
			struct err *err)
{
	const char *target = archive_entry_symlink(e->entry);

	if (!target || !*target)
		return err_say(err, EBADMSG, "it is a symlink to nothing");
	err_try(clear_place(tree, dir, e->name, false, err));
	if (symlinkat(target, dir, e->name) < 0)
		return fail(tree, err, errno, "create the symlink");
	return unpack_attr_set_at(tree, e, dir, false, err);
}

/* 12 bits and 20 bits: the kernel would cut what is more, and make another device of it. */
static int read_device(const struct unpack_entry *e, dev_t *ret, struct err *err)
{
	dev_t major = archive_entry_rdevmajor(e->entry), minor = archive_entry_rdevminor(e->entry);

	if (major >= 1 << 12 || minor >= 1 << 20)
		return err_say(err, EBADMSG, "it is device %lld:%lld, beyond what Linux has",
			       (long long)major, (long long)minor);
	*ret = makedev((unsigned)major, (unsigned)minor);
	return 0;
}

/*
 * Devices of layers are made, as Docker makes them: images of whole systems have a /dev, and a node
 * grants nothing by being there. The cgroup's device rules decide who may open it, folders that
 * only root enters keep it from everybody on the host, and a container of its own user namespace,
 * where nodes open nothing, cannot bring one in.
 */
static int make_node(struct unpack_tree *tree, const struct unpack_entry *e, int dir, mode_t type,
		     struct err *err)
{
	dev_t dev = 0;

	if (type != S_IFIFO)
		err_try(read_device(e, &dev, err));
	err_try(clear_place(tree, dir, e->name, false, err));
	if (mknodat(dir, e->name, type | 0600, dev) < 0) {
		/* A node would open nothing: its container has the host's bound where it has any.
		 */
		if (errno == EPERM && type != S_IFIFO && userns_is_rootless())
			return 0;
		return fail(tree, err, errno,
			    type == S_IFIFO ? "create the fifo" : "create the device");
	}
	return unpack_attr_set_at(tree, e, dir, true, err);
}

/* A hard link leads to what this layer has already brought, seen from the layer's root. */
static int make_hard_link(struct unpack_tree *tree, const struct unpack_entry *e, struct err *err)
{
	char folder[PATH_MAX], name[NAME_MAX + 1];
	struct stat target, there;
	_cleanup_fd_ int from = -1;
	int dir;

	if (unpack_entry_split(archive_entry_hardlink(e->entry), folder, name, err) < 0)
		return err_add(err, "the file it is a hard link to");
	dir = unpack_tree_folder(tree, folder, false, err);
	if (dir < 0 && dir != -ENOENT && dir != -ENOTDIR)
		return dir;
	if (dir < 0 || !name[0] || fstatat(dir, name, &target, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(target.st_mode) || is_whiteout(&target))
		return err_say(err, EBADMSG, "it is a hard link to %.200s, no file of this layer",
			       archive_entry_hardlink(e->entry));
	from = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (from < 0)
		return fail(tree, err, errno, "link it");
	dir = unpack_tree_folder(tree, e->folder, true, err);
	if (dir < 0)
		return dir;
	if (fstatat(dir, e->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    there.st_ino == target.st_ino)
		return 0;
	err_try(clear_place(tree, dir, e->name, false, err));
	/* It may have lain in what was just removed. */
	if (linkat(from, name, dir, e->name, 0) < 0)
		return fail(tree, err, errno, "link it");
	return 0;
}

/* The name behind ".wh." is gone from the layers below; what this layer itself has there stays. */
static int make_whiteout(struct unpack_tree *tree, int dir, const char *name, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_say(err, EBADMSG, "it is a whiteout of nothing");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT || mknodat(dir, name, S_IFCHR, makedev(0, 0)) < 0)
			return fail(tree, err, errno, "create the whiteout");
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	r = fd < 0 ? -errno : unpack_set_opaque(fd);
	return r < 0 ? fail(tree, err, -r, "mark the folder opaque") : 0;
}

static int apply_whiteout(struct unpack_tree *tree, const struct unpack_entry *e, struct err *err)
{
	bool opaque = strcmp(e->name, OPAQUE) == 0;
	int dir, r;

	/* Marks that aufs kept for itself, as old images still carry them. */
	if (!opaque && strncmp(e->name, WHITEOUT_META, strlen(WHITEOUT_META)) == 0)
		return 0;
	dir = unpack_tree_folder(tree, e->folder, true, err);
	if (dir < 0)
		return dir;
	if (!opaque)
		return make_whiteout(tree, dir, e->name + strlen(WHITEOUT), err);
	r = unpack_set_opaque(dir);
	return r < 0 ? fail(tree, err, -r, "mark the folder opaque") : 0;
}

int unpack_entry_apply(struct unpack_tree *tree, const struct unpack_entry *e, struct err *err)
{
	mode_t type = archive_entry_filetype(e->entry);
	int dir;

	if (!e->name[0] && type != S_IFDIR)
		return err_say(err, EBADMSG, "it takes the place of the root folder");
	if (!tree->plain && strncmp(e->name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return apply_whiteout(tree, e, err);
	if (archive_entry_hardlink(e->entry))
		return e->name[0] ? make_hard_link(tree, e, err) : 0;
	dir = unpack_tree_folder(tree, e->folder, true, err);
	if (dir < 0)
		return dir;
	switch (type) {
	case S_IFREG:
		return make_file(tree, e, dir, err);
	case S_IFDIR:
		return make_folder(tree, e, dir, err);
	case S_IFLNK:
		return make_symlink(tree, e, dir, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return make_node(tree, e, dir, type, err);
	case S_IFSOCK:
		return 0; /* nothing listens on it any more */
	default:
		return err_say(err, EBADMSG, "it is of an unknown kind (mode 0%o)", (unsigned)type);
	}
}
