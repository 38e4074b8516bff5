/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers made to break out, to lie or to exhaust: each test is one attack, which is refused with
 * one sentence or stays inside. More of them are in test_unpack.c; headers here are forged byte by
 * byte.
 */
#include "tests/unit/storage/rawtar.h"
#include "tests/unit/storage/unpack_fixture.h"

static int unpack_raw(struct raw_tar *tar, struct err *err)
{
	return unpack(raw_end(tar), err);
}

static int one(const struct raw_entry *e, struct err *err)
{
	struct raw_tar tar = raw_start();

	raw_add(&tar, e);
	return unpack_raw(&tar, err);
}

static void assert_one_sentence(const struct err *err)
{
	assert_true(err->text[0] != '\0');
	for (const char *c = err->text; *c; c++)
		assert_true((unsigned char)*c >= ' ');
}

/* ---- out of the tree ---- */

static void a_dotdot_in_a_pax_path(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_pax_text(&tar, "path", "harmless/../../outside/file");
	raw_add(&tar, &(struct raw_entry){ "harmless", .data = "evil", .data_len = 4 });
	assert_int_equal(unpack_raw(&tar, &err), -EBADMSG);
	assert_one_sentence(&err);
}

static void a_dotdot_in_a_gnu_long_name(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "././@LongLink", 'L', .data = "../outside/file",
					   .data_len = 16, .gnu = true });
	raw_add(&tar, &(struct raw_entry){ "short", .data = "evil", .data_len = 4, .gnu = true });
	assert_int_equal(unpack_raw(&tar, &err), -EBADMSG);
}

static void a_dotdot_in_a_gnu_long_link(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "././@LongLink", 'K', .data = "../outside/file",
					   .data_len = 16, .gnu = true });
	raw_add(&tar, &(struct raw_entry){ "hard", '1', .link = "short", .gnu = true });
	assert_int_equal(unpack_raw(&tar, &err), -EBADMSG);
	assert_false(there("hard"));
}

static void a_global_pax_header_renames_nothing_outside(void **state)
{
	struct raw_tar tar = raw_start();
	static const char record[] = "20 path=../outside/x\n";
	struct err err = { 0 };
	int r;

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "g", 'g', .data = record, .data_len = 21 });
	raw_add(&tar, &(struct raw_entry){ "file", .data = "evil", .data_len = 4 });
	r = unpack_raw(&tar, &err);
	assert_true(r == 0 || err.text[0]);
}

static void an_absolute_hard_link(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(one(&(struct raw_entry){ "x", '1', .link = "/etc/shadow" }, &err),
			 -EBADMSG);
	assert_false(there("x"));
}

static void a_hard_link_to_a_symlink_out_is_a_symlink(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "s", '2', .link = "../outside/file" });
	raw_add(&tar, &(struct raw_entry){ "h", '1', .link = "s" });
	raw_add(&tar, &(struct raw_entry){ "h", '0', .data = "evil", .data_len = 4 });
	assert_int_equal(unpack_raw(&tar, NULL), 0);
	assert_text("h", "evil");
	assert_true(S_ISLNK(look("s").st_mode));
}

static void a_hard_link_with_data_writes_through_nothing(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "s", '2', .link = "../outside/file" });
	raw_add(&tar, &(struct raw_entry){ "h", '1', .link = "s", .data = "evil", .data_len = 4 });
	unpack_raw(&tar, &err);
	/* The fixture looks at outside/file. */
}

static void a_folder_swapped_for_a_symlink(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "d/", '5', .mode = "0000755" });
	raw_add(&tar, &(struct raw_entry){ "d/a", .data = "1", .data_len = 1 });
	raw_add(&tar, &(struct raw_entry){ "d", '2', .link = "../outside" });
	raw_add(&tar, &(struct raw_entry){ "d/file", .data = "evil", .data_len = 4 });
	raw_add(&tar, &(struct raw_entry){ "d/sub/", '5', .mode = "0000777" });
	assert_int_equal(unpack_raw(&tar, NULL), 0);
	assert_text("outside/file", "evil");
}

static void a_symlink_below_in_an_earlier_layer(void **state)
{
	char path[80];
	_cleanup_fd_ int lower = -1;
	struct unpack_options options = { .root = top, .lower_fds = &lower, .lower_count = 1 };
	struct raw_tar tar = raw_start();

	(void)state;
	/* The layer below lies in outside's neighbour and points there, relative and absolute. */
	snprintf(path, sizeof(path), "%s/fs/lower", top);
	assert_int_equal(mkdir(path, 0755), 0);
	lower = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("../../outside", lower, "rel"), 0);
	snprintf(path, sizeof(path), "%s/outside", top);
	assert_int_equal(symlinkat(path, lower, "abs"), 0);
	raw_add(&tar, &(struct raw_entry){ "rel/file", .data = "evil", .data_len = 4 });
	raw_add(&tar, &(struct raw_entry){ "abs/file", .data = "evil", .data_len = 4 });
	raw_add(&tar, &(struct raw_entry){ "abs/.wh.file" });
	raw_add(&tar, &(struct raw_entry){ "rel/.wh..wh..opq" });
	assert_int_equal(unpack_with(raw_end(&tar), &options, NULL), 0);
	assert_text("outside/file", "evil");
}

/* ---- sizes that lie ---- */

static void a_size_beyond_the_end(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(
		one(&(struct raw_entry){ "a", .size = "00000100000", .data = "x", .data_len = 1 },
		    &err) < 0);
	assert_one_sentence(&err);
}

static void a_size_of_exabytes(void **state)
{
	struct err err = { 0 };

	(void)state;
	/* Base 256: the first bit set. */
	assert_int_equal(
		one(
			&(struct raw_entry){
				"a", .size = "\x80\x01\x01\x01\x7f\xff\xff\xff\xff\xff\xff\xff" },
			&err) < 0,
		1);
	assert_one_sentence(&err);
}

static void a_size_below_zero(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(
		one(
			&(struct raw_entry){
				"a", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00" },
			&err) < 0);
	assert_one_sentence(&err);
}

static void a_pax_size_larger_than_the_file(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_pax_text(&tar, "size", "9999999");
	raw_add(&tar, &(struct raw_entry){ "a", .data = "x", .data_len = 1 });
	assert_true(unpack_raw(&tar, &err) < 0);
	assert_one_sentence(&err);
}

static void a_pax_size_that_hides_an_entry(void **state)
{
	struct raw_tar tar = raw_start(), inner = raw_start();
	_cleanup_free_ char *data = NULL;
	struct err err = { 0 };
	size_t len;

	(void)state;
	/* The header says 0, pax says 1024: who believes the header sees another entry. */
	raw_add(&inner, &(struct raw_entry){ "../outside/file", .data = "evil", .data_len = 4 });
	lseek(inner.fd, 0, SEEK_SET);
	assert_int_equal(fd_read_all(inner.fd, 4096, &data, &len, NULL), 0);
	close(inner.fd);
	raw_pax_text(&tar, "size", "1024");
	raw_add(&tar,
		&(struct raw_entry){ "a", .size = "00000000000", .data = data, .data_len = len });
	if (unpack_raw(&tar, &err) == 0)
		assert_int_equal(look("a").st_size, 1024);
}

static void a_pax_record_whose_length_lies(void **state)
{
	static const char *const records[] = { "99999999 path=x\n",
					       "0 path=x\n",
					       "5 path=x\n",
					       "-11 path=x\n",
					       "path=x\n",
					       "11 path=xxxxxxxxx\n",
					       "4294967307 path=x\n",
					       "18446744073709551626 path=x\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		struct raw_tar tar = raw_start();
		struct err err = { 0 };
		int r;

		raw_add(&tar, &(struct raw_entry){ "p", 'x', .data = records[i],
						   .data_len = strlen(records[i]) });
		raw_add(&tar, &(struct raw_entry){ "file", .data = "f", .data_len = 1 });
		r = unpack_raw(&tar, &err);
		if (r < 0)
			assert_one_sentence(&err);
		assert_true(r < 0 || there("file") || there("x"));
	}
}

static void a_pax_header_of_a_gigabyte(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(one(&(struct raw_entry){ "p", 'x', .size = "10000000000" }, &err) < 0);
	assert_one_sentence(&err);
}

static void a_gnu_long_name_of_a_gigabyte(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(
		one(&(struct raw_entry){ "././@LongLink", 'L', .size = "10000000000", .gnu = true },
		    &err) < 0);
	assert_one_sentence(&err);
}

static void a_wrong_sum(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(one(&(struct raw_entry){ "a", .bad_sum = true }, &err) < 0);
	assert_one_sentence(&err);
}

/* ---- names ---- */

static void a_nul_in_a_pax_path(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };
	int r;

	(void)state;
	raw_pax(&tar, "path", "ok\0/../../outside/file", 22);
	raw_add(&tar, &(struct raw_entry){ "x", .data = "f", .data_len = 1 });
	r = unpack_raw(&tar, &err);
	assert_true(r < 0 || (there("ok") && count_entries(top, "fs") == 1));
}

static void a_name_of_sixty_thousand_bytes(void **state)
{
	static char name[60001];
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	raw_pax_text(&tar, "path", name);
	raw_add(&tar, &(struct raw_entry){ "x" });
	assert_int_equal(unpack_raw(&tar, &err), -ENAMETOOLONG);
	assert_one_sentence(&err);
	assert_int_equal(count_entries(top, "fs"), 0);
}

static void a_path_longer_than_linux_takes(void **state)
{
	static char name[6001];
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < 6000; i += 100) {
		memset(name + i, 'a', 99);
		name[i + 99] = '/';
	}
	name[5999] = 'z';
	raw_pax_text(&tar, "path", name);
	raw_add(&tar, &(struct raw_entry){ "x" });
	assert_int_equal(unpack_raw(&tar, &err), -ENAMETOOLONG);
	assert_int_equal(count_entries(top, "fs"), 0);
}

static void an_empty_name(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(one(&(struct raw_entry){ "", .data = "x", .data_len = 1 }, &err) < 0);
	assert_one_sentence(&err);
}

static void control_characters_in_a_name_reach_no_terminal(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(one(&(struct raw_entry){ "\x1b[2J\n/../x" }, &err), -EBADMSG);
	assert_one_sentence(&err);
}

/* ---- kinds ---- */

static void a_device_beyond_linux_is_not_cut_to_another(void **state)
{
	struct err err = { 0 };

	(void)state;
	/* 4097:1 would become 1:1, /dev/mem. */
	assert_int_equal(
		one(&(struct raw_entry){ "mem", '3', .major = "0010001", .minor = "0000001" },
		    &err),
		-EBADMSG);
	assert_non_null(strstr(err.text, "device 4097:1"));
	assert_int_equal(
		one(&(struct raw_entry){ "mem", '4', .major = "0000001", .minor = "4000000" },
		    &err),
		-EBADMSG);
	assert_int_equal(count_entries(top, "fs"), 0);
}

static void a_device_is_a_node_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(one(&(struct raw_entry){ "null", '3', .mode = "0000666",
						  .major = "0000001", .minor = "0000003" },
			     NULL),
			 0);
	assert_true(S_ISCHR(look("null").st_mode));
	assert_true(look("null").st_rdev == makedev(1, 3));
	assert_int_equal(look("null").st_mode & 07777, 0666);
}

/* Overlay takes it for a whiteout, which is all that such a device can do. */
static void a_device_0_0_is_a_whiteout(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "gone", '3', .major = "0000000", .minor = "0000000" });
	assert_int_equal(unpack_raw(&tar, NULL), 0);
	assert_true(is_whiteout("gone"));
}

static void a_fifo_blocks_nobody(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_add(&tar, &(struct raw_entry){ "p", '6' });
	raw_add(&tar, &(struct raw_entry){ "p/x" });
	assert_int_equal(unpack_raw(&tar, &err), -ENOTDIR);
	assert_true(S_ISFIFO(look("p").st_mode));
}

static void a_symlink_to_nothing(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_true(one(&(struct raw_entry){ "s", '2', .link = "" }, &err) < 0);
	assert_one_sentence(&err);
}

static void an_unknown_kind_is_a_file_or_refused(void **state)
{
	struct err err = { 0 };
	int r;

	(void)state;
	r = one(&(struct raw_entry){ "z", 'Z', .data = "x", .data_len = 1 }, &err);
	assert_true(r < 0 || S_ISREG(look("z").st_mode));
}

static void kinds_change_and_change_back(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	for (int i = 0; i < 3; i++) {
		raw_add(&tar, &(struct raw_entry){ "a", .data = "f", .data_len = 1 });
		raw_add(&tar, &(struct raw_entry){ "a/", '5', .mode = "0000755" });
		raw_add(&tar, &(struct raw_entry){ "a/b", .data = "f", .data_len = 1 });
		raw_add(&tar, &(struct raw_entry){ "a", '2', .link = "../outside" });
		raw_add(&tar, &(struct raw_entry){ "a", '6' });
		raw_add(&tar,
			&(struct raw_entry){ "a", '3', .major = "0000001", .minor = "0000003" });
	}
	raw_add(&tar, &(struct raw_entry){ "a/", '5', .mode = "0000711" });
	assert_int_equal(unpack_raw(&tar, NULL), 0);
	assert_true(S_ISDIR(look("a").st_mode) && (look("a").st_mode & 07777) == 0711);
	assert_int_equal(count_entries(top, "fs/a"), 0);
}

/* ---- attributes ---- */

static void attributes_of_overlay_and_of_labels_are_dropped(void **state)
{
	static const char *const keys[] = {
		"SCHILY.xattr.trusted.overlay.opaque",
		"SCHILY.xattr.trusted.overlay.redirect",
		"SCHILY.xattr.user.overlay.opaque",
		"SCHILY.xattr.system.posix_acl_access",
		"SCHILY.xattr.security.selinux",
		"SCHILY.xattr.security.ima",
		"SCHILY.acl.access",
	};
	struct raw_tar tar = raw_start();
	_cleanup_fd_ int fd = -1;
	char names[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		raw_pax_text(&tar, keys[i], i == 6 ? "user::rwx,user:7:rwx,mask::rwx" : "y");
		raw_add(&tar, &(struct raw_entry){ "d/", '5', .mode = "0000700" });
	}
	assert_int_equal(unpack_raw(&tar, NULL), 0);
	fd = openat(fs_fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flistxattr(fd, names, sizeof(names)), 0);
	assert_int_equal(look("d").st_mode & 07777, 0700);
}

static void a_wrong_capability_is_refused(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	raw_pax_text(&tar, "SCHILY.xattr.security.capability", "nonsense");
	raw_add(&tar, &(struct raw_entry){ "a" });
	assert_true(unpack_raw(&tar, &err) < 0);
	assert_non_null(strstr(err.text, "extended attribute"));
}

static void an_xattr_of_seventy_thousand_bytes(void **state)
{
	static char value[66000];
	struct raw_tar tar = raw_start();
	struct err err = { 0 };

	(void)state;
	memset(value, 'v', sizeof(value));
	raw_pax(&tar, "SCHILY.xattr.user.big", value, sizeof(value));
	raw_add(&tar, &(struct raw_entry){ "a" });
	assert_true(unpack_raw(&tar, &err) < 0);
	assert_one_sentence(&err);
}

static void modes_of_more_than_twelve_bits(void **state)
{
	(void)state;
	assert_int_equal(one(&(struct raw_entry){ "a", .mode = "0177777" }, NULL), 0);
	assert_true(S_ISREG(look("a").st_mode));
	assert_int_equal(look("a").st_mode & 07777, 07777);
}

static void times_before_and_after_all(void **state)
{
	static const char *const times[] = { "-9223372036854775808", "9223372036854775807", "-1.5",
					     "99999999999.999999999", "nonsense" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct raw_tar tar = raw_start();
		struct err err = { 0 };
		int r;

		raw_pax_text(&tar, "mtime", times[i]);
		raw_add(&tar, &(struct raw_entry){ "t", .data = "x", .data_len = 1 });
		r = unpack_raw(&tar, &err);
		if (r < 0)
			assert_one_sentence(&err);
		else
			assert_text("t", "x");
	}
}

/* ---- exhaustion ---- */

static void folders_nobody_listed_count_too(void **state)
{
	struct unpack_options few = { .root = top, .entries_max = 50 };
	struct raw_tar tar = raw_start();
	struct err err = { 0 };
	char name[100];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%d/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/x", i);
		raw_add(&tar, &(struct raw_entry){ name });
	}
	assert_int_equal(unpack_with(raw_end(&tar), &few, &err), -EFBIG);
	assert_non_null(strstr(err.text, "limit of 50 files"));
}

static void a_sparse_file_of_exabytes(void **state)
{
	struct raw_tar tar = raw_start();
	struct err err = { 0 };
	static const char map[512] = "1\n0\n1\n";
	char data[1024] = { 0 };

	(void)state;
	memcpy(data, map, sizeof(map));
	raw_pax_text(&tar, "GNU.sparse.major", "1");
	raw_pax_text(&tar, "GNU.sparse.minor", "0");
	raw_add(&tar, &(struct raw_entry){ "unused", .data = "", .data_len = 0 });
	assert_true(unpack_raw(&tar, &err) <= 0);
	tar = raw_start();
	{
		static const char records[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
					      "23 GNU.sparse.name=big\n"
					      "43 GNU.sparse.realsize=4611686018427387904\n";

		raw_add(&tar, &(struct raw_entry){ "p", 'x', .data = records,
						   .data_len = sizeof(records) - 1 });
	}
	raw_add(&tar, &(struct raw_entry){ "GNUSparseFile.0/big", .data = data,
					   .data_len = sizeof(data) });
	assert_int_equal(unpack_raw(&tar, &err), -EFBIG);
	assert_one_sentence(&err);
}

static void a_sparse_map_that_points_beyond_the_file(void **state)
{
	static const char *const maps[] = { "1\n1000000\n512\n", "2\n0\n512\n0\n512\n",
					    "1\n-5\n512\n",	 "99999999999\n0\n1\n",
					    "1\n0\n99999999\n",	 "x\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		static const char records[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
					      "23 GNU.sparse.name=big\n"
					      "28 GNU.sparse.realsize=1024\n";
		struct raw_tar tar = raw_start();
		struct err err = { 0 };
		char data[1024] = { 0 };
		int r;

		memcpy(data, maps[i], strlen(maps[i]));
		raw_add(&tar, &(struct raw_entry){ "p", 'x', .data = records,
						   .data_len = sizeof(records) - 1 });
		raw_add(&tar, &(struct raw_entry){ "GNUSparseFile.0/big", .data = data,
						   .data_len = sizeof(data) });
		r = unpack_raw(&tar, &err);
		if (r < 0)
			assert_one_sentence(&err);
		else
			assert_true(look("big").st_size <= 1024);
	}
}

static void a_pax_sparse_file_is_exact(void **state)
{
	static const char records[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
				      "26 GNU.sparse.name=sparse\n"
				      "31 GNU.sparse.realsize=1048576\n";
	struct raw_tar tar = raw_start();
	_cleanup_fd_ int fd = -1;
	char data[1024] = { 0 }, got[4];

	(void)state;
	strcpy(data, "1\n524288\n512\n");
	memset(data + 512, 's', 512);
	raw_add(&tar,
		&(struct raw_entry){ "p", 'x', .data = records, .data_len = sizeof(records) - 1 });
	raw_add(&tar, &(struct raw_entry){ "GNUSparseFile.0/sparse", .data = data,
					   .data_len = sizeof(data) });
	assert_int_equal(unpack_raw(&tar, NULL), 0);
	assert_int_equal(look("sparse").st_size, 1048576);
	assert_true(look("sparse").st_blocks < 64);
	fd = openat(fs_fd, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, got, 4, 524288 + 508), 4);
	assert_memory_equal(got, "ssss", 4);
	assert_int_equal(pread(fd, got, 4, 0), 4);
	assert_memory_equal(got, "\0\0\0\0", 4);
}

static void an_old_gnu_sparse_file(void **state)
{
	char header_data[512];
	struct raw_tar tar = raw_start();
	struct err err = { 0 };
	int r;

	(void)state;
	/* Type 'S' without a map: the real size field is empty. */
	memset(header_data, 's', sizeof(header_data));
	raw_add(&tar, &(struct raw_entry){ "old", 'S', .data = header_data,
					   .data_len = sizeof(header_data), .gnu = true });
	r = unpack_raw(&tar, &err);
	if (r < 0)
		assert_one_sentence(&err);
	else
		assert_true(look("old").st_size <= 512);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_dotdot_in_a_pax_path),
		TEST(a_dotdot_in_a_gnu_long_name),
		TEST(a_dotdot_in_a_gnu_long_link),
		TEST(a_global_pax_header_renames_nothing_outside),
		TEST(an_absolute_hard_link),
		TEST(a_hard_link_to_a_symlink_out_is_a_symlink),
		TEST(a_hard_link_with_data_writes_through_nothing),
		TEST(a_folder_swapped_for_a_symlink),
		TEST(a_symlink_below_in_an_earlier_layer),
		TEST(a_size_beyond_the_end),
		TEST(a_size_of_exabytes),
		TEST(a_size_below_zero),
		TEST(a_pax_size_larger_than_the_file),
		TEST(a_pax_size_that_hides_an_entry),
		TEST(a_pax_record_whose_length_lies),
		TEST(a_pax_header_of_a_gigabyte),
		TEST(a_gnu_long_name_of_a_gigabyte),
		TEST(a_wrong_sum),
		TEST(a_nul_in_a_pax_path),
		TEST(a_name_of_sixty_thousand_bytes),
		TEST(a_path_longer_than_linux_takes),
		TEST(an_empty_name),
		TEST(control_characters_in_a_name_reach_no_terminal),
		TEST(a_device_beyond_linux_is_not_cut_to_another),
		TEST(a_device_is_a_node_and_no_more),
		TEST(a_device_0_0_is_a_whiteout),
		TEST(a_fifo_blocks_nobody),
		TEST(a_symlink_to_nothing),
		TEST(an_unknown_kind_is_a_file_or_refused),
		TEST(kinds_change_and_change_back),
		TEST(attributes_of_overlay_and_of_labels_are_dropped),
		TEST(a_wrong_capability_is_refused),
		TEST(an_xattr_of_seventy_thousand_bytes),
		TEST(modes_of_more_than_twelve_bits),
		TEST(times_before_and_after_all),
		TEST(folders_nobody_listed_count_too),
		TEST(a_sparse_file_of_exabytes),
		TEST(a_sparse_map_that_points_beyond_the_file),
		TEST(a_pax_sparse_file_is_exact),
		TEST(an_old_gnu_sparse_file),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
