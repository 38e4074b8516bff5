/* SPDX-License-Identifier: Apache-2.0 */
/* Where tests of unpacking unpack to: "fs", beside an "outside" that no layer may touch. */
#pragma once

#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>

#include "storage/unpack.h"
#include "tests/unit/storage/layout.h"

static char top[64];
static int fs_fd = -1;

static inline int group_setup(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		puts("unpacking keeps owners and makes devices: it needs root");
		exit(77);
	}
	return 0;
}

static inline int setup(void **state)
{
	char path[80];

	(void)state;
	umask(077);
	strcpy(top, "/tmp/cellar-unit-unpack.XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/fs", top);
	assert_int_equal(mkdir(path, 0755), 0);
	fs_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/outside", top);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/outside/file", top);
	assert_int_equal(file_replace(AT_FDCWD, path, "mine", 4, 0600, false, NULL), 0);
	return 0;
}

static inline int teardown(void **state)
{
	char path[80];
	_cleanup_free_ char *text = NULL;

	(void)state;
	/* Whatever a test did, this must be so. */
	assert_int_equal(count_entries(top, "outside"), 1);
	snprintf(path, sizeof(path), "%s/outside/file", top);
	assert_int_equal(file_read(AT_FDCWD, path, 100, &text, NULL, NULL), 0);
	assert_string_equal(text, "mine");
	assert_int_equal(count_entries(top, "."), 2);
	close(fs_fd);
	return tree_remove(AT_FDCWD, top, NULL);
}

static inline int unpack_with(int tar_fd, const struct unpack_options *options, struct err *err)
{
	char diff_id[DIGEST_TEXT_SIZE];
	int r = unpack_layer(tar_fd, fs_fd, options, diff_id, err);

	close(tar_fd);
	return r;
}

static inline int unpack(int tar_fd, struct err *err)
{
	const struct unpack_options options = { .root = top };

	return unpack_with(tar_fd, &options, err);
}

static inline struct stat look(const char *path)
{
	struct stat st;

	if (fstatat(fs_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

static inline bool there(const char *path)
{
	struct stat st;

	return fstatat(fs_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline bool is_whiteout(const char *path)
{
	struct stat st = look(path);

	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static inline bool is_opaque(const char *path)
{
	_cleanup_fd_ int fd = openat(fs_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value;

	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static inline void assert_text(const char *path, const char *wanted)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(file_read(fs_fd, path, 1 << 20, &text, NULL, NULL), 0);
	assert_string_equal(text, wanted);
}
