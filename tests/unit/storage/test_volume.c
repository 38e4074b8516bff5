/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: made, used, filled, removed, and mended after a kill at each stage of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "storage/volume.h"

static char root[64];
static struct arena *arena;
static struct err err;
static const struct volume_info plain;

static int setup(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return -1;
	err = (struct err){ 0 };
	arena = arena_new();
	strcpy(root, "/tmp/cellar-unit-volume.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return tree_remove(AT_FDCWD, root, NULL);
}

static const char *at(const char *path)
{
	static char buf[300];

	snprintf(buf, sizeof(buf), "%s/volumes/%s", root, path);
	return buf;
}

static bool there(const char *path)
{
	return access(at(path), F_OK) == 0;
}

static void put(const char *path)
{
	int fd = open(at(path), O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static struct volume *open_one(const char *name, const struct volume_info *make, int want)
{
	struct volume *v = NULL;
	int r = volume_open(root, name, make, &v, &err);

	if (r != want)
		fail_msg("%d: %s", r, err.text);
	return v;
}

static int user_lives(void *data, const char *user)
{
	return strcmp(user, data) == 0;
}

static void first_use_makes_it_and_the_next_finds_it(void **state)
{
	static const char *const labels[] = { "a=b", NULL };
	struct volume_info make = { .labels = labels, .anonymous = true }, info;
	struct volume *v = NULL;
	struct stat st;
	(void)state;

	assert_int_equal(volume_open(root, "v", NULL, &v, &err), -ENOENT);
	assert_null(v);
	v = open_one("v", &make, 1);
	assert_int_equal(volume_is_empty(v, &err), 1);
	v = volume_close(v);
	v = open_one("v", &plain, 0);
	assert_int_equal(volume_read(v, arena, &info, &err), 0);
	assert_true(info.anonymous && info.created_ns > 0);
	assert_string_equal(info.labels[0], "a=b");
	volume_close(v);
	assert_int_equal(stat(at(""), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(at("v/data"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void names_cannot_lead_elsewhere(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "../x", ".tmp", "-a", "a b", "a\n"
	};
	struct volume *v = NULL;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(volume_open(root, bad[i], &plain, &v, &err), -EINVAL);
}

static void symlink_is_no_volume(void **state)
{
	struct volume *v = NULL;
	(void)state;

	volume_close(open_one("v", &plain, 1));
	assert_int_equal(symlink("v", at("w")), 0);
	assert_true(volume_open(root, "w", &plain, &v, &err) < 0);
}

static void one_in_use_is_not_removed(void **state)
{
	struct volume_judge judge = { user_lives, (char[]){ "alive" } };
	struct volume *v = open_one("v", &plain, 1);
	(void)state;

	assert_int_equal(volume_add_user(v, "alive", &err), 0);
	assert_int_equal(volume_add_user(v, "dead", &err), 0);
	volume_close(v);
	assert_int_equal(volume_remove(root, "v", &judge, &err), -EBUSY);
	assert_true(there("v/data"));
	assert_int_equal(volume_drop_user(root, "v", "alive", &err), 0);
	assert_int_equal(volume_remove(root, "v", &judge, &err), 0);
	assert_false(there("v"));
	assert_int_equal(volume_remove(root, "v", &judge, &err), -ENOENT);
	assert_int_equal(volume_drop_user(root, "v", "alive", &err), 0);
}

static void content_is_there_whole_or_not_at_all(void **state)
{
	struct volume *v = open_one("v", &plain, 1);
	int tree = -1, links = -1;
	(void)state;

	/* Killed while it was copied. */
	assert_int_equal(volume_fill_begin(v, &tree, &links, &err), 0);
	put("v/copy/tree/half");
	close(tree);
	close(links);
	volume_close(v);
	v = open_one("v", &plain, 0);
	assert_int_equal(volume_is_empty(v, &err), 1);
	assert_false(there("v/copy"));

	assert_int_equal(volume_fill_begin(v, &tree, &links, &err), 0);
	put("v/copy/tree/whole");
	assert_int_equal(fchmod(tree, 02770), 0);
	close(tree);
	close(links);
	assert_int_equal(volume_fill_end(v, &err), 0);
	assert_int_equal(volume_is_empty(v, &err), 0);
	assert_true(there("v/data/whole"));
	assert_false(there("v/copy") || there("v/ready"));
	volume_close(v);
}

static void ready_content_goes_on_into_its_place(void **state)
{
	struct volume *v = open_one("v", &plain, 1);
	struct stat st;
	(void)state;

	volume_close(v);
	/* Killed after some of it was moved; a container wrote meanwhile. */
	assert_int_equal(mkdir(at("v/ready"), 0750), 0);
	put("v/ready/second");
	put("v/ready/written");
	put("v/data/first");
	assert_int_equal(mkdir(at("v/data/written"), 0700), 0);
	v = open_one("v", &plain, 0);
	assert_true(there("v/data/first") && there("v/data/second") && !there("v/ready"));
	assert_int_equal(stat(at("v/data/written"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(stat(at("v/data"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	volume_close(v);
}

static void half_made_one_is_completed(void **state)
{
	struct volume_info info;
	struct volume *v;
	(void)state;

	assert_int_equal(mkdir(at(""), 0700), 0);
	assert_int_equal(mkdir(at("v"), 0700), 0);
	v = open_one("v", NULL, 0);
	assert_int_equal(volume_read(v, arena, &info, &err), 0);
	assert_true(info.created_ns > 0 && !info.anonymous);
	assert_true(there("v/data"));
	volume_close(v);
}

static void killed_removal_is_finished_by_the_next(void **state)
{
	struct volume_judge judge = { user_lives, (char[]){ "" } };
	(void)state;

	volume_close(open_one("v", &plain, 1));
	assert_int_equal(mkdir(at(".tmp"), 0700), 0);
	assert_int_equal(mkdir(at(".tmp/old.1"), 0700), 0);
	put(".tmp/old.1/file");
	assert_int_equal(volume_remove(root, "v", &judge, &err), 0);
	assert_false(there(".tmp/old.1"));
}

static void newer_version_is_refused(void **state)
{
	struct volume_info info;
	struct volume *v = open_one("v", &plain, 1);
	(void)state;

	assert_int_equal(file_replace(AT_FDCWD, at("v/volume.json"), "{\"version\":2}", 13, 0600,
				      false, &err),
			 0);
	assert_int_equal(volume_read(v, arena, &info, &err), -EPROTO);
	volume_close(v);
}

static int collect(void *data, const char *name)
{
	strcat(data, name);
	return 0;
}

static void all_are_listed_in_order(void **state)
{
	char names[64] = "";
	(void)state;

	assert_int_equal(volume_each(root, collect, names, &err), 0);
	volume_close(open_one("b", &plain, 1));
	volume_close(open_one("a", &plain, 1));
	assert_int_equal(mkdir(at(".tmp"), 0700), 0);
	assert_int_equal(volume_each(root, collect, names, &err), 0);
	assert_string_equal(names, "ab");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_use_makes_it_and_the_next_finds_it),
		TEST(names_cannot_lead_elsewhere),
		TEST(symlink_is_no_volume),
		TEST(one_in_use_is_not_removed),
		TEST(content_is_there_whole_or_not_at_all),
		TEST(ready_content_goes_on_into_its_place),
		TEST(half_made_one_is_completed),
		TEST(killed_removal_is_finished_by_the_next),
		TEST(newer_version_is_refused),
		TEST(all_are_listed_in_order),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
