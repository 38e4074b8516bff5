/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/tree_move.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/engine/id_ranges.h"

#define BUFFER (256 << 10)
#define NOBODY 65534
#define DEPTH_MAX 128 /* three descriptors each */

static int move_entry(const struct tree_move *m, int source_fd, int target_fd, const char *name,
		      unsigned depth, struct err *err);

static mode_t mode_of(const struct tree_move *m, const struct stat *st)
{
	return st->st_mode & (m->keep_owner ? 07777 : 01777);
}

/* In another user namespace; what it has no number for is nobody's there. */
static uint32_t shifted(const struct tree_move *m, uint32_t id)
{
	int64_t inside = m->shift < 0 ? (int64_t)id + m->shift : (int64_t)id;

	if (!m->shift)
		return id;
	if (inside < 0 || inside >= ID_RANGE_SIZE)
		inside = NOBODY;
	return (uint32_t)(m->shift < 0 ? inside : inside + m->shift);
}

static int set_owner(const struct tree_move *m, const struct stat *st, int dirfd, const char *name,
		     int flags)
{
	uid_t uid = m->keep_owner ? shifted(m, st->st_uid) : m->owner_uid;
	gid_t gid = m->keep_owner ? shifted(m, st->st_gid) : m->owner_gid;

	return fchownat(dirfd, name, uid, gid, flags) < 0 ? -errno : 0;
}

/* Whether it goes along: what people set; what a program may do, where owners are kept; and lists
 * of who may, whose ids a shift would have to go through. */
static bool is_moved(const struct tree_move *m, const char *key)
{
	if (strncmp(key, "user.", 5) == 0 || strncmp(key, "trusted.overlay", 15) == 0)
		return key[0] == 'u';
	if (strcmp(key, "security.capability") == 0)
		return m->keep_owner;
	return m->keep_owner && !m->shift && strncmp(key, "system.posix_acl_", 17) == 0;
}

static int move_xattr(int from, int to, const char *key)
{
	_cleanup_free_ char *value = NULL;
	ssize_t size = fgetxattr(from, key, NULL, 0);

	if (size < 0)
		return errno == ENODATA ? 0 : -errno; /* it went meanwhile */
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = fgetxattr(from, key, value, (size_t)size + 1);
	if (size < 0)
		return -errno;
	/* The other filesystem may know none. */
	return fsetxattr(to, key, value, (size_t)size, 0) == 0 || errno == EOPNOTSUPP ? 0 : -errno;
}

/* Of open files and folders. After the owner, whose change drops capabilities. */
static int move_xattrs(const struct tree_move *m, int from, int to)
{
	_cleanup_free_ char *keys = NULL;
	ssize_t size = flistxattr(from, NULL, 0);
	int r = 0;

	if (size <= 0)
		return size == 0 || errno == EOPNOTSUPP ? 0 : -errno;
	keys = malloc((size_t)size);
	if (!keys)
		return -ENOMEM;
	size = flistxattr(from, keys, (size_t)size);
	for (const char *key = keys; r == 0 && size > 0 && key < keys + size;
	     key += strlen(key) + 1)
		if (is_moved(m, key))
			r = move_xattr(from, to, key);
	return r;
}

/* Of an open file or folder of our making, or of a folder that was there. */
static int set_attributes(const struct tree_move *m, const struct stat *st, int fd)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	int r = set_owner(m, st, fd, "", AT_EMPTY_PATH);

	if (r == 0 && fchmod(fd, mode_of(m, st)) < 0)
		r = -errno;
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	return r;
}

static int copy_bytes(int from, int to)
{
	_cleanup_free_ char *buffer = malloc(BUFFER);
	ssize_t n;
	int r = buffer ? 0 : -ENOMEM;

	while (r == 0 && (n = read(from, buffer, BUFFER)) != 0)
		r = n < 0 ? -errno : fd_write_all(to, buffer, (size_t)n);
	return r;
}

static int move_file(const struct tree_move *m, int source_fd, const struct stat *st, int target_fd,
		     const char *name)
{
	_cleanup_fd_ int from = -1, to = -1;
	char path[PATH_FD_SIZE];
	int r;

	/* What is behind source_fd is a file, whatever has its name by now. */
	from = open(path_of_fd(source_fd, path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	if (unlinkat(target_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	to = openat(target_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_bytes(from, to);
	if (r == 0)
		r = set_attributes(m, st, to);
	return r == 0 ? move_xattrs(m, from, to) : r;
}

static int move_symlink(const struct tree_move *m, int source_fd, const struct stat *st,
			int target_fd, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(source_fd, "", text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (unlinkat(target_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(text, target_fd, name) < 0)
		return -errno;
	return set_owner(m, st, target_fd, name, AT_SYMLINK_NOFOLLOW);
}

static int move_content(const struct tree_move *m, int source_fd, int target_fd, unsigned depth,
			struct err *err)
{
	_cleanup_fd_ int fd = dir_open(source_fd, ".", err);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return fd < 0 ? fd : err_set(err, errno, "read a folder");
	take_fd(&fd);
	while ((entry = readdir(dir))) {
		_cleanup_fd_ int one = -1;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		one = openat(dirfd(dir), entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (one < 0 && errno == ENOENT)
			continue; /* it went meanwhile */
		if (one < 0)
			return err_set(err, errno, "open %s", entry->d_name);
		err_try(move_entry(m, one, target_fd, entry->d_name, depth, err));
	}
	return 0;
}

static int move_folder(const struct tree_move *m, int source_fd, const struct stat *st,
		       int target_fd, const char *name, unsigned depth, struct err *err)
{
	_cleanup_fd_ int to = -1, from = -1;
	bool made = mkdirat(target_fd, name, 0700) == 0;
	int r = 0;

	if (depth == DEPTH_MAX)
		return err_say(err, ELOOP, "folders are nested too deep");
	if (!made && errno != EEXIST)
		return err_set(err, errno, "create folder %s", name);
	to = openat(target_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_say(err, errno, "%s is there, and is no folder", name);
	err_try(move_content(m, source_fd, to, depth + 1, err));
	from = openat(source_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return err_set(err, errno, "open folder %s", name);
	/* The time, which is one of the attributes, comes last. */
	if (made || m->keep_owner)
		r = move_xattrs(m, from, to);
	if (r == 0 && (made || m->keep_owner))
		r = set_attributes(m, st, to);
	return r < 0 ? err_set(err, -r, "set the attributes of %s", name) : 0;
}

static int move_entry(const struct tree_move *m, int source_fd, int target_fd, const char *name,
		      unsigned depth, struct err *err)
{
	struct stat st;
	int r;

	if (fstat(source_fd, &st) < 0)
		return err_set(err, errno, "look at %s", name);
	if (S_ISDIR(st.st_mode)) {
		r = move_folder(m, source_fd, &st, target_fd, name, depth, err);
		return r < 0 && depth < 8 ? err_add(err, "%s", name) : r;
	}
	if (S_ISREG(st.st_mode)) {
		r = move_file(m, source_fd, &st, target_fd, name);
	} else if (S_ISLNK(st.st_mode)) {
		r = move_symlink(m, source_fd, &st, target_fd, name);
	} else {
		log_warn("%s is no file, folder or symlink, and left out", name);
		return 0;
	}
	return r < 0 ? err_set(err, -r, "copy %s", name) : 0;
}

int tree_move_entry(const struct tree_move *move, int source_fd, int target_fd, const char *name,
		    struct err *err)
{
	return move_entry(move, source_fd, target_fd, name, 0, err);
}

int tree_move_content(const struct tree_move *move, int source_fd, int target_fd, struct err *err)
{
	return move_content(move, source_fd, target_fd, 0, err);
}
