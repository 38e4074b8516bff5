/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking of layers, kind and hostile. */
#include "tests/unit/storage/unpack_fixture.h"

static void attributes_are_exact(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(
		unpack(TAR({ "./", S_IFDIR | 0751, .uid = 7, .gid = 8, .mtime = 1000 },
			   { "d/", S_IFDIR | 03775, .uid = 1, .gid = 2, .mtime = 99,
			     .mtime_nsec = 5 },
			   { "d/su", S_IFREG | 06755, .data = "x", .uid = 1000, .gid = 4294967294,
			     .mtime = 1234567890, .mtime_nsec = 123456789 },
			   { "d/l", S_IFLNK | 0777, .symlink = "/etc/../x", .uid = 3, .mtime = 77 },
			   { "d/none", S_IFREG | 0, .mtime = -5 },
			   { "d/fifo", S_IFIFO | 0642, .gid = 5, .mtime = 8 },
			   { "d/null", S_IFCHR | 0666, .major = 1, .minor = 3 },
			   { "d/blk", S_IFBLK | 0660, .major = 259, .minor = 70000, .gid = 6 }),
		       NULL),
		0);
	st = look(".");
	assert_int_equal(st.st_mode & 07777, 0751);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	st = look("d");
	assert_int_equal(st.st_mode & 07777, 03775);
	assert_int_equal(st.st_mtim.tv_sec, 99);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	st = look("d/su");
	assert_int_equal(st.st_mode, S_IFREG | 06755);
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(st.st_gid, 4294967294);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	st = look("d/l");
	assert_true(S_ISLNK(st.st_mode) && st.st_uid == 3 && st.st_mtim.tv_sec == 77);
	st = look("d/none");
	assert_true(st.st_mode == S_IFREG && st.st_mtim.tv_sec == -5);
	st = look("d/fifo");
	assert_true(st.st_mode == (S_IFIFO | 0642) && st.st_gid == 5 && st.st_mtim.tv_sec == 8);
	st = look("d/null");
	assert_true(st.st_mode == (S_IFCHR | 0666) && st.st_rdev == makedev(1, 3));
	st = look("d/blk");
	assert_true(st.st_mode == (S_IFBLK | 0660) && st.st_rdev == makedev(259, 70000));
}

static void wanted_xattrs_are_kept_others_dropped(void **state)
{
	static const char cap[] = "\1\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct tar tar = tar_start("pax", NULL);
	struct archive_entry *entry = archive_entry_new();
	_cleanup_fd_ int fd = -1;
	char value[64], list[256];
	ssize_t len;

	(void)state;
	archive_entry_set_pathname(entry, "ping");
	archive_entry_set_mode(entry, S_IFREG | 0755);
	archive_entry_set_uid(entry, 5);
	archive_entry_set_size(entry, 0);
	archive_entry_xattr_add_entry(entry, "security.capability", cap, 20);
	archive_entry_xattr_add_entry(entry, "user.note", "hi", 2);
	archive_entry_xattr_add_entry(entry, "user.overlay.opaque", "y", 1);
	archive_entry_xattr_add_entry(entry, "trusted.overlay.redirect", "/x", 2);
	archive_entry_xattr_add_entry(entry, "security.selinux", "a:b:c", 5);
	assert_int_equal(archive_write_header(tar.a, entry), ARCHIVE_OK);
	archive_entry_free(entry);
	assert_int_equal(unpack(tar_end(&tar), NULL), 0);
	fd = openat(fs_fd, "ping", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "security.capability", value, sizeof(value)), 20);
	assert_memory_equal(value, cap, 20);
	if (fgetxattr(fd, "user.note", value, sizeof(value)) == 2)
		assert_memory_equal(value, "hi", 2);
	else
		assert_int_equal(errno, ENOTSUP); /* tmpfs before 6.6 */
	len = flistxattr(fd, list, sizeof(list));
	for (char *p = list; p < list + len; p += strlen(p) + 1)
		assert_true(strcmp(p, "security.capability") == 0 || strcmp(p, "user.note") == 0);
}

static void names_are_bytes(void **state)
{
	static const char *const formats[] = { "pax", "gnutar", "ustar" };
	/* NFD, Latin-1, a line break, an overlong sequence: none of it is ours to change. */
	static const char *const names[] = { "a\xcc\x88", "\xc3\xa4", "\xe4", "a\nb",
					     "\xc0\xaf",  " ",	      "\\",   "*?[" };

	(void)state;
	for (size_t f = 0; f < 3; f++) {
		struct tar tar = tar_start(formats[f], NULL);

		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			tar_add(&tar, &(struct tar_entry){ names[i], .data = formats[f] });
		assert_int_equal(unpack(tar_end(&tar), NULL), 0);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			assert_text(names[i], formats[f]);
	}
	assert_int_equal(count_entries(top, "fs"), ARRAY_SIZE(names));
}

static void long_names_and_targets_survive(void **state)
{
	char name[300], path[2000], target[1000];
	_cleanup_free_ char *text = NULL;
	ssize_t n;

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	snprintf(path, sizeof(path), "%s/%s/%s/%s", name, name, name, name);
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	assert_int_equal(
		unpack(TAR({ path, .data = "x" }, { "l", S_IFLNK | 0777, .symlink = target }),
		       NULL),
		0);
	assert_text(path, "x");
	n = readlinkat(fs_fd, "l", path, sizeof(path));
	assert_int_equal(n, 999);
	name[255] = 'n';
	name[256] = '\0';
	assert_true(unpack(TAR({ name }), NULL) < 0);
}

static void hard_links_share_a_file(void **state)
{
	(void)state;
	assert_int_equal(unpack(TAR({ "a/x", .data = "x" }, { "b/y", .hardlink = "a/x" },
				    { "z", .hardlink = "./a//x" }, { "w", .hardlink = "/a/x" },
				    { "a/x", .hardlink = "a/x" }),
				NULL),
			 0);
	assert_int_equal(look("a/x").st_nlink, 4);
	assert_int_equal(look("a/x").st_ino, look("b/y").st_ino);
	assert_text("w", "x");
}

static void whiteouts_are_overlays(void **state)
{
	(void)state;
	assert_int_equal(
		unpack(TAR({ "d/.wh.gone", .data = "" }, { "d/kept", .data = "k" },
			   { "o/", S_IFDIR | 0755 }, { "o/.wh..wh..opq" }, { "o/new" },
			   { "implicit/.wh..wh..opq" }, { ".wh..wh.aufs" }, { ".wh..wh.plnk/x" }),
		       NULL),
		0);
	assert_true(is_whiteout("d/gone"));
	assert_text("d/kept", "k");
	assert_true(is_opaque("o") && is_opaque("implicit") && !is_opaque("d"));
	assert_false(there("o/.wh..wh..opq") || there("d/.wh.gone") || there(".wh..wh.aufs"));
}

/* A whiteout hides what is below, never what its own layer brings, in whatever order. */
static void a_whiteout_and_a_new_entry_of_one_layer(void **state)
{
	(void)state;
	assert_int_equal(unpack(TAR({ ".wh.a" }, { "a/", S_IFDIR | 0755 }, { "a/x" },
				    { "b/", S_IFDIR | 0755 }, { "b/x" }, { ".wh.b" }, { ".wh.c" },
				    { "c", .data = "new" }, { "e", .data = "new" }, { ".wh.e" },
				    { ".wh.f" }, { "f/g/h" }),
				NULL),
			 0);
	assert_true(is_opaque("a") && is_opaque("b") && is_opaque("f"));
	assert_true(there("a/x") && there("b/x") && there("f/g/h"));
	assert_text("c", "new");
	assert_text("e", "new");
}

static void whiteouts_of_nothing_are_refused(void **state)
{
	static const char *const names[] = { ".wh.", ".wh..", ".wh...", "d/.wh..." };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(unpack(TAR({ names[i] }), NULL), -EBADMSG);
}

static void later_entries_replace_earlier_ones(void **state)
{
	(void)state;
	assert_int_equal(unpack(TAR({ "a", .data = "1" }, { "a", .data = "2" }, { "d/x" },
				    { "d", .data = "file" },
				    { "s", S_IFLNK | 0777, .symlink = "../outside" },
				    { "s/", S_IFDIR | 0700 }, { "s/file", .data = "ours" },
				    { "k/", S_IFDIR | 0755 }, { "k/x" }, { "k/", S_IFDIR | 0711 }),
				NULL),
			 0);
	assert_text("a", "2");
	assert_text("d", "file");
	assert_text("s/file", "ours");
	assert_true(there("k/x") && (look("k").st_mode & 07777) == 0711);
}

static void no_name_leads_out(void **state)
{
	static const char *const names[] = { "..",
					     "../x",
					     "a/../../x",
					     "a/..",
					     "./../outside/file",
					     "/../outside/file",
					     "a/b/../../../outside/x" };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(unpack(TAR({ names[i], .data = "evil" }), &err), -EBADMSG);
		assert_non_null(strstr(err.text, "'..'"));
	}
	assert_int_equal(unpack(TAR({ "/tmp/cellar-abs", .data = "x" }), NULL), 0);
	assert_text("tmp/cellar-abs", "x");
	assert_false(exists("/tmp", "cellar-abs"));
}

static void no_symlink_leads_out(void **state)
{
	char absolute[100];

	(void)state;
	snprintf(absolute, sizeof(absolute), "%s/outside", top);
	assert_int_equal(unpack(TAR({ "rel", S_IFLNK | 0777, .symlink = "../outside" },
				    { "rel/file", .data = "evil" },
				    { "abs", S_IFLNK | 0777, .symlink = absolute },
				    { "abs/file", .data = "evil" },
				    { "up", S_IFLNK | 0777, .symlink = "../../../../../.." },
				    { "up/file", .data = "evil" },
				    { "chain", S_IFLNK | 0777, .symlink = "rel/../abs" },
				    { "chain/dir/", S_IFDIR | 0777 }, { "chain/.wh.file" },
				    { "f", S_IFLNK | 0777, .symlink = "../outside/file" },
				    { "f", .data = "replaced" },
				    { "g", S_IFLNK | 0777, .symlink = "../outside/file" },
				    { "g2", .hardlink = "g" }, { "g2", .data = "through?" }),
				NULL),
			 0);
	assert_text("f", "replaced");
	/* "/" and "..'s" above the root are the tree's root. */
	assert_text("file", "evil");
	assert_text("outside/file", "evil");
	assert_true(S_ISLNK(look("g").st_mode));
}

static void symlink_loops_end(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(unpack(TAR({ "a", S_IFLNK | 0777, .symlink = "b" },
				    { "b", S_IFLNK | 0777, .symlink = "a" }, { "a/x" }),
				&err),
			 -ELOOP);
	assert_int_equal(unpack(TAR({ "c", S_IFLNK | 0777, .symlink = "c/c" }, { "c/x" }), &err),
			 -ELOOP);
}

static void hard_links_stay_inside(void **state)
{
	static const struct {
		const char *target;
	} cases[] = { { "../outside/file" },
		      { "out/file" },
		      { "/etc/passwd" },
		      { "missing" },
		      { "missing/missing" },
		      { "d" },
		      { "." },
		      { "file/x" },
		      { "white" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };
		int r = unpack(TAR({ "d/", S_IFDIR | 0755 }, { "file", .data = "f" },
				   { ".wh.white" },
				   { "out", S_IFLNK | 0777, .symlink = "../outside" },
				   { "link", .hardlink = cases[i].target }),
			       &err);

		if (i == 1) /* the tree's own "outside/file" isn't there */
			assert_false(there("outside"));
		if (r != -EBADMSG)
			fail_msg("hard link to %s: %d %s", cases[i].target, r, err.text);
		assert_non_null(strstr(err.text, "link"));
	}
}

static void a_file_is_no_folder(void **state)
{
	(void)state;
	assert_int_equal(unpack(TAR({ "a", .data = "1" }, { "a/b" }), NULL), -ENOTDIR);
}

static void the_root_stays_a_folder(void **state)
{
	(void)state;
	assert_int_equal(unpack(TAR({ ".", S_IFLNK | 0777, .symlink = "x" }), NULL), -EBADMSG);
	assert_int_equal(unpack(TAR({ "/", .data = "x" }), NULL), -EBADMSG);
}

static void owners_beyond_linux_are_refused(void **state)
{
	(void)state;
	assert_int_equal(unpack(TAR({ "a", .uid = 4294967295 }), NULL), -EBADMSG);
	assert_int_equal(unpack(TAR({ "a", .gid = 4294967296 }), NULL), -EBADMSG);
}

static void depth_is_limited_also_through_symlinks(void **state)
{
	struct tar tar = tar_start("pax", NULL);
	char path[PATH_MAX], link[16], deep[700];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < 240; i++)
		memcpy(deep + 2 * i, "d/", 2);
	deep[480] = '\0';
	tar_add(&tar, &(struct tar_entry){ deep, S_IFDIR | 0755 });
	tar_add(&tar, &(struct tar_entry){ "l0", S_IFLNK | 0777, .symlink = deep });
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "l%d/%s", i, deep);
		tar_add(&tar, &(struct tar_entry){ path, S_IFDIR | 0755 });
		snprintf(link, sizeof(link), "l%d", i + 1);
		tar_add(&tar, &(struct tar_entry){ link, S_IFLNK | 0777, .symlink = path });
	}
	assert_int_equal(unpack(tar_end(&tar), &err), -ENAMETOOLONG);
}

static void limits_are_clear_sentences(void **state)
{
	struct unpack_options few = { .root = top, .entries_max = 2 };
	struct unpack_options small = { .root = top, .bytes_max = 4096 };
	struct err err = { 0 };
	char big[5000];

	(void)state;
	assert_int_equal(unpack_with(TAR({ "a" }, { "b" }, { "c" }), &few, &err), -EFBIG);
	assert_non_null(strstr(err.text, "limit of 2 files"));
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(unpack_with(TAR({ "a", .data = big }), &small, &err), -EFBIG);
	assert_non_null(strstr(err.text, "4096"));
}

/* 1.2 GB of zeros, which gzip packs into about 1.2 MB. */
static void a_bomb_is_stopped(void **state)
{
	struct tar tar = tar_start("pax", "gzip");
	struct archive_entry *entry = archive_entry_new();
	static char zeros[1 << 20];
	struct err err = { 0 };

	(void)state;
	archive_entry_set_pathname(entry, "zeros");
	archive_entry_set_mode(entry, S_IFREG | 0644);
	archive_entry_set_size(entry, 1200LL << 20);
	assert_int_equal(archive_write_header(tar.a, entry), ARCHIVE_OK);
	archive_entry_free(entry);
	for (int i = 0; i < 1200; i++)
		assert_int_equal(archive_write_data(tar.a, zeros, sizeof(zeros)), sizeof(zeros));
	assert_int_equal(unpack(tar_end(&tar), &err), -EFBIG);
	assert_non_null(strstr(err.text, "attack"));
}

static void sparse_files_stay_sparse(void **state)
{
	struct tar tar = tar_start("pax", NULL);
	struct archive_entry *entry = archive_entry_new();
	static char block[4096];
	_cleanup_fd_ int fd = -1;
	char read_back[4];

	(void)state;
	memset(block, 'b', sizeof(block));
	archive_entry_set_pathname(entry, "sparse");
	archive_entry_set_mode(entry, S_IFREG | 0644);
	archive_entry_set_size(entry, 64 << 20);
	archive_entry_sparse_add_entry(entry, 32 << 20, sizeof(block));
	assert_int_equal(archive_write_header(tar.a, entry), ARCHIVE_OK);
	archive_entry_free(entry);
	/* libarchive's writer wants the whole and takes the holes out. */
	for (int i = 0; i < (64 << 20) / 4096; i++) {
		static char zeros[4096];

		archive_write_data(tar.a, i == (32 << 20) / 4096 ? block : zeros, 4096);
	}
	assert_int_equal(unpack(tar_end(&tar), NULL), 0);
	assert_int_equal(look("sparse").st_size, 64 << 20);
	assert_true(look("sparse").st_blocks < 1000);
	fd = openat(fs_fd, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, read_back, 4, (32 << 20) + 4092), 4);
	assert_memory_equal(read_back, "bbbb", 4);
}

static void compressions_and_diff_ids(void **state)
{
	static const char *const filters[] = { NULL, "gzip", "zstd" };
	const struct unpack_options options = { .root = top };
	static const struct tar_entry entries[] = { { "a", .data = "text" } };
	char wanted[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int fd = tar_of(entries, 1, filters[i]);

		if (i == 0)
			digest_of_fd(fd, wanted, NULL);
		assert_int_equal(unpack_layer(fd, fs_fd, &options, got, NULL), 0);
		/* The padding at the tar's end differs by filter; what was read must be the same.
		 */
		if (i == 0)
			assert_string_equal(got, wanted);
		assert_text("a", "text");
		assert_int_equal(unlinkat(fs_fd, "a", 0), 0);
		close(fd);
	}
}

static void cut_and_foreign_bytes_are_errors(void **state)
{
	static const char *const filters[] = { NULL, "gzip" };
	static const struct tar_entry entries[] = { { "a", .data = "some text" },
						    { "b", .data = "x" } };
	struct err err = { 0 };

	(void)state;
	for (size_t f = 0; f < 2; f++) {
		int fd = tar_of(entries, 2, filters[f]);
		off_t size = lseek(fd, 0, SEEK_END);

		/* Within the first entry's header, or within the compressed bytes. */
		assert_int_equal(ftruncate(fd, f ? size / 2 : 700), 0);
		assert_true(unpack(fd, &err) < 0);
		assert_true(err.text[0] != '\0');
	}
	{
		int fd = memfd_create("x", MFD_CLOEXEC);

		assert_int_equal(fd_write_all(fd, "no tar at all, but long enough", 30), 0);
		assert_true(unpack(fd, &err) < 0);
	}
	assert_int_equal(unpack(memfd_create("x", MFD_CLOEXEC), &err), 0);
}

/* What the layers below have decides what folders without an entry of their own look like. */
static void layers_below_lend_their_folders(void **state)
{
	char path[80];
	struct stat st;
	_cleanup_fd_ int lower = -1;
	struct unpack_options options = { .root = top, .lower_fds = &lower, .lower_count = 1 };

	(void)state;
	assert_int_equal(unpack(TAR({ "./", S_IFDIR | 0711, .gid = 9 },
				    { "tmp/", S_IFDIR | 01777, .uid = 4, .mtime = 50 },
				    { "usr/lib/", S_IFDIR | 0755 },
				    { "lib", S_IFLNK | 0777, .symlink = "usr/lib" },
				    { "abs", S_IFLNK | 0777, .symlink = "/usr/../usr/lib" },
				    { "file" }, { "gone/", S_IFDIR | 0700 }),
				NULL),
			 0);
	lower = fs_fd;
	snprintf(path, sizeof(path), "%s/outside/../fs2", top);
	assert_int_equal(mkdir(path, 0755), 0);
	fs_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unpack_with(TAR({ "tmp/x" }, { "lib/a.so" }, { "abs/b.so" }, { "file/x" },
					 { "new/x" }, { ".wh.gone" }, { "gone/x" },
					 { "link", .hardlink = "lib/a.so" }),
				     &options, NULL),
			 0);
	st = look(".");
	assert_true((st.st_mode & 07777) == 0711 && st.st_gid == 9);
	st = look("tmp");
	assert_true((st.st_mode & 07777) == 01777 && st.st_uid == 4 && st.st_mtim.tv_sec == 50);
	assert_true(there("usr/lib/a.so") && there("usr/lib/b.so"));
	assert_false(there("lib") || there("abs"));
	assert_true((look("new").st_mode & 07777) == 0755 && S_ISDIR(look("file").st_mode));
	assert_true((look("gone").st_mode & 07777) == 0755 && is_opaque("gone"));
	assert_int_equal(look("link").st_nlink, 2);
	close(fs_fd);
	fs_fd = -1;
	tree_remove(AT_FDCWD, path, NULL);
}

static void errors_are_safe_to_print(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(unpack(TAR({ "\x1b[31mred/../x" }), &err), -EBADMSG);
	assert_null(strchr(err.text, '\x1b'));
	assert_non_null(strstr(err.text, "?[31mred"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(attributes_are_exact),
		TEST(wanted_xattrs_are_kept_others_dropped),
		TEST(names_are_bytes),
		TEST(long_names_and_targets_survive),
		TEST(hard_links_share_a_file),
		TEST(whiteouts_are_overlays),
		TEST(a_whiteout_and_a_new_entry_of_one_layer),
		TEST(whiteouts_of_nothing_are_refused),
		TEST(later_entries_replace_earlier_ones),
		TEST(no_name_leads_out),
		TEST(no_symlink_leads_out),
		TEST(symlink_loops_end),
		TEST(hard_links_stay_inside),
		TEST(a_file_is_no_folder),
		TEST(the_root_stays_a_folder),
		TEST(owners_beyond_linux_are_refused),
		TEST(depth_is_limited_also_through_symlinks),
		TEST(limits_are_clear_sentences),
		TEST(a_bomb_is_stopped),
		TEST(sparse_files_stay_sparse),
		TEST(compressions_and_diff_ids),
		TEST(cut_and_foreign_bytes_are_errors),
		TEST(layers_below_lend_their_folders),
		TEST(errors_are_safe_to_print),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
