/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "storage/tree_copy.h"

static char top[64];
static int from = -1, to = -1, links = -1;
static struct err err;

static int make(const char *name)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY);

	mkdirat(fd, name, 0700);
	close(fd);
	fd = openat(AT_FDCWD, top, O_PATH | O_DIRECTORY);
	int made = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(fd);
	return made;
}

static int setup(void **state)
{
	(void)state;
	err = (struct err){ 0 };
	strcpy(top, "/tmp/cellar-unit-copy.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	from = make("from");
	to = make("to");
	links = make("links");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(from);
	close(to);
	close(links);
	return tree_remove(AT_FDCWD, top, NULL);
}

static void put(int dirfd, const char *path, const char *text)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void copy(void)
{
	if (tree_copy(from, to, links, &err) < 0)
		fail_msg("%s", err.text);
}

static struct stat look(const char *path)
{
	struct stat st;

	if (fstatat(to, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is not there", path);
	return st;
}

static void attributes_are_the_same(void **state)
{
	const struct timespec times[] = { { 1, 5 }, { 1700000000, 123456789 } };
	char value[8] = "";
	struct stat st;
	int fd;
	(void)state;

	put(from, "f", "text");
	assert_int_equal(mkdirat(from, "d", 0700), 0);
	assert_int_equal(symlinkat("/etc/passwd", from, "l"), 0);
	assert_int_equal(fchownat(from, "f", 1000, 1001, 0), 0);
	assert_int_equal(fchmodat(from, "f", 06755, 0), 0);
	assert_int_equal(fchownat(from, "l", 7, 8, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fchmodat(from, "d", 01777, 0), 0);
	assert_int_equal(fchmod(from, 02750), 0);
	assert_int_equal(utimensat(from, "f", times, 0), 0);
	assert_int_equal(utimensat(from, "d", times, 0), 0);
	assert_int_equal(utimensat(from, "l", times, AT_SYMLINK_NOFOLLOW), 0);
	fd = openat(from, "f", O_RDONLY);
	bool xattrs = fsetxattr(fd, "user.k", "v", 1, 0) == 0;
	close(fd);
	copy();
	st = look("f");
	assert_true(st.st_uid == 1000 && st.st_gid == 1001 && (st.st_mode & 07777) == 06755);
	assert_true(st.st_mtim.tv_sec == 1700000000 && st.st_mtim.tv_nsec == 123456789);
	st = look("l");
	assert_true(S_ISLNK(st.st_mode) && st.st_uid == 7 && st.st_gid == 8);
	assert_int_equal(st.st_mtim.tv_sec, 1700000000);
	st = look("d");
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(st.st_mtim.tv_sec, 1700000000);
	assert_int_equal(look(".").st_mode & 07777, 02750);
	fd = openat(to, "f", O_RDONLY);
	if (xattrs)
		assert_int_equal(fgetxattr(fd, "user.k", value, sizeof(value)), 1);
	close(fd);
}

static void all_kinds_of_files_come_along_but_overlays_marks(void **state)
{
	(void)state;
	assert_int_equal(mknodat(from, "fifo", S_IFIFO | 0600, 0), 0);
	assert_int_equal(mknodat(from, "sock", S_IFSOCK | 0600, 0), 0);
	if (mknodat(from, "null", S_IFCHR | 0666, makedev(1, 3)) == 0 &&
	    mknodat(from, "gone", S_IFCHR, makedev(0, 0)) == 0) {
		copy();
		assert_true(look("null").st_rdev == makedev(1, 3));
		assert_int_equal(faccessat(to, "gone", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	} else {
		copy();
	}
	assert_true(S_ISFIFO(look("fifo").st_mode) && S_ISSOCK(look("sock").st_mode));
}

static void hard_links_stay_one_file(void **state)
{
	(void)state;
	put(from, "a", "x");
	assert_int_equal(mkdirat(from, "d", 0755), 0);
	assert_int_equal(linkat(from, "a", from, "d/b", 0), 0);
	copy();
	assert_int_equal(look("a").st_ino, look("d/b").st_ino);
}

static void holes_stay_holes(void **state)
{
	int fd = openat(from, "sparse", O_WRONLY | O_CREAT, 0600);
	char back[8];
	(void)state;

	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	assert_int_equal(pwrite(fd, "middle", 6, 32 << 20), 6);
	close(fd);
	copy();
	assert_int_equal(look("sparse").st_size, 64 << 20);
	assert_true(look("sparse").st_blocks < 2048);
	fd = openat(to, "sparse", O_RDONLY);
	assert_int_equal(pread(fd, back, 6, 32 << 20), 6);
	assert_memory_equal(back, "middle", 6);
	close(fd);
}

/* Far deeper than descriptors, and than a path may be long. */
static void any_depth_is_copied(void **state)
{
	struct rlimit limit = { 64, 64 }, old;
	int fd = dup(from);
	(void)state;

	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	put(fd, "bottom", "x");
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	copy();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	fd = dup(to);
	for (int i = 0; i < 3000; i++) {
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);

		close(fd);
		fd = next;
	}
	assert_int_equal(faccessat(fd, "bottom", F_OK, 0), 0);
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attributes_are_the_same),
		TEST(all_kinds_of_files_come_along_but_overlays_marks),
		TEST(hard_links_stay_one_file),
		TEST(holes_stay_holes),
		TEST(any_depth_is_copied),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
