/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "runtime/engine/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken line\n"
			     "daemon:x:1:1::/usr/sbin:/bin/false\n"
			     "app:x:1000:1001:An app:/srv/app:/bin/sh\n"
			     "1234:x:77:78::/digits:/bin/sh\n"
			     "huge:x:4294967295:0::/:/bin/sh\n"
			     "nohome:x:55:56:::/bin/sh";
static const char group[] = "root:x:0:root\n"
			    "wheel:x:10:root,app\n"
			    "app:x:1001:app\n"
			    "audio:x:29:other,app\n"
			    "apples:x:30:apple,xapp\n";
static const struct user_files files = { passwd, group };

struct fixture {
	struct arena *arena;
	struct user_identity who;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .arena = arena_new() };
	*state = &f;
	return f.arena ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	return 0;
}

static int resolve(struct fixture *f, const char *spec)
{
	return user_resolve(spec, &files, f->arena, &f->who, &f->err);
}

static void nobody_asked_is_root(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(resolve(f, NULL), 0);
	assert_int_equal(f->who.user.uid, 0);
	assert_string_equal(f->who.home, "/root");
	assert_int_equal(f->who.user.additional_gids_count, 1);
	assert_int_equal(f->who.user.additional_gids[0], 10);
}

static void name_brings_groups_and_home(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "app"), 0);
	assert_int_equal(f->who.user.uid, 1000);
	assert_int_equal(f->who.user.gid, 1001);
	assert_string_equal(f->who.home, "/srv/app");
	assert_int_equal(f->who.user.additional_gids_count, 2);
	assert_int_equal(f->who.user.additional_gids[0], 10);
	assert_int_equal(f->who.user.additional_gids[1], 29);
}

static void explicit_group_stands_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "app:audio"), 0);
	assert_int_equal(f->who.user.gid, 29);
	assert_int_equal(f->who.user.additional_gids_count, 0);
	assert_int_equal(resolve(f, "7:8"), 0);
	assert_int_equal(f->who.user.uid, 7);
	assert_int_equal(f->who.user.gid, 8);
	assert_string_equal(f->who.home, "/");
}

static void number_finds_its_entry_and_needs_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "1000"), 0);
	assert_int_equal(f->who.user.gid, 1001);
	assert_int_equal(resolve(f, "4000"), 0);
	assert_int_equal(f->who.user.uid, 4000);
	assert_int_equal(f->who.user.gid, 0);
	assert_int_equal(resolve(f, "4294967294"), 0);
}

/* CVE-2026-46680, and an image that would make root of the number that its user chose. */
static void digits_are_no_name(void **state)
{
	static const struct user_files hostile = { "1000:x:0:0::/:\n4294967296:x:0:0::/:\n",
						   "1000:x:0:\n99999999999:x:0:\n" };
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "1234"), 0);
	assert_int_equal(f->who.user.uid, 1234);
	assert_int_equal(user_resolve("1000:1000", &hostile, f->arena, &f->who, &f->err), 0);
	assert_int_equal(f->who.user.uid, 1000);
	assert_int_equal(f->who.user.gid, 1000);
	assert_int_equal(user_resolve("4294967296", &hostile, f->arena, &f->who, &f->err), -EINVAL);
	assert_int_equal(user_resolve("5:99999999999", &hostile, f->arena, &f->who, &f->err),
			 -EINVAL);
}

static void empty_home_is_root_folder(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "nohome"), 0);
	assert_string_equal(f->who.home, "/");
	assert_int_equal(f->who.user.gid, 56);
}

static void unknown_names_and_numbers_out_of_range_are_refused(void **state)
{
	static const char *const bad[] = { "ghost", "4294967295", "huge",
					   "-1",    "app:ghost",  "app:4294967295",
					   "app:",  "1:",	  "0x0" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		f->who.user.uid = 31337;
		assert_int_equal(resolve(f, bad[i]), -EINVAL);
		assert_int_equal(f->who.user.uid, 31337);
	}
	assert_int_equal(user_resolve("app", &(struct user_files){ 0 }, f->arena, &f->who, &f->err),
			 -EINVAL);
	assert_non_null(strstr(f->err.text, "\"app\" is not in the image's /etc/passwd"));
	assert_int_equal(user_resolve("5", &(struct user_files){ 0 }, f->arena, &f->who, &f->err),
			 0);
}

static void groups_are_added_behind_his_own(void **state)
{
	static const char *const asked[] = { "audio", "7", "wheel", "1001", NULL };
	static const char *const bad[] = { "5", "ghost", NULL };
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "app"), 0);
	assert_int_equal(user_add_groups(NULL, &files, f->arena, &f->who, &f->err), 0);
	assert_int_equal(user_add_groups(asked, &files, f->arena, &f->who, &f->err), 0);
	assert_int_equal(f->who.user.additional_gids_count, 3);
	assert_int_equal(f->who.user.additional_gids[1], 29);
	assert_int_equal(f->who.user.additional_gids[2], 7);
	assert_int_equal(user_add_groups(bad, &files, f->arena, &f->who, &f->err), -EINVAL);
	assert_int_equal(f->who.user.additional_gids_count, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_asked_is_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(name_brings_groups_and_home, set_up, tear_down),
		cmocka_unit_test_setup_teardown(explicit_group_stands_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(number_finds_its_entry_and_needs_none, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(digits_are_no_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(empty_home_is_root_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_names_and_numbers_out_of_range_are_refused,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_are_added_behind_his_own, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
