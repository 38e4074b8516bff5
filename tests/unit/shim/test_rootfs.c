/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "runtime/shim/rootfs.h"

static struct rootfs_options parsed(const char *const *options)
{
	struct rootfs_options o = { 0 };
	size_t count = 0;

	while (options[count])
		count++;
	assert_return_code(rootfs_options_parse(options, count, &o, NULL), 0);
	return o;
}

static void test_flags_and_data_are_told_apart(void **state)
{
	struct rootfs_options o = parsed((const char *[]){ "ro", "index=off", "nosuid", "",
							   "lowerdir=/a:/b", "volatile", NULL });

	(void)state;
	assert_int_equal(o.flags, MS_RDONLY | MS_NOSUID);
	assert_int_equal(o.propagation, 0);
	assert_string_equal(o.data, "index=off,lowerdir=/a:/b,volatile");
	free(o.data);
}

static void test_later_options_win(void **state)
{
	struct rootfs_options o = parsed((const char *[]){ "ro", "rw", "nodev", "dev", NULL });

	(void)state;
	assert_int_equal(o.flags, 0);
	assert_string_equal(o.data, "");
	free(o.data);
}

static void test_rbind_and_propagation(void **state)
{
	struct rootfs_options o = parsed((const char *[]){ "rbind", "rslave", "ro", NULL });

	(void)state;
	assert_int_equal(o.flags, MS_BIND | MS_REC | MS_RDONLY);
	assert_int_equal(o.propagation, MS_SLAVE | MS_REC);
	free(o.data);
}

static void test_what_we_cannot_do_is_refused(void **state)
{
	struct rootfs_options o;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(rootfs_options_parse((const char *[]){ "loop" }, 1, &o, &err), -EINVAL);
	assert_string_equal(err.text, "mount of rootfs: the option loop is not supported");
	assert_int_equal(rootfs_options_parse((const char *[]){ "uidmap=0:1:2" }, 1, &o, &err),
			 -EINVAL);
}

static void test_lowerdirs_are_shortened_to_their_folder(void **state)
{
	char *folder = NULL, *data = NULL;

	(void)state;
	assert_int_equal(
		rootfs_shorten_lowerdir("upperdir=/s/9/fs,lowerdir=/s/12/fs:/s/1/fs:/s/3/fs"
					",workdir=/s/9/w",
					&folder, &data),
		1);
	assert_string_equal(folder, "/s");
	assert_string_equal(data, "upperdir=/s/9/fs,lowerdir=12/fs:1/fs:3/fs,workdir=/s/9/w");
	free(folder);
	free(data);
	assert_int_equal(rootfs_shorten_lowerdir("lowerdir=/s/only", &folder, &data), 1);
	assert_string_equal(folder, "/s");
	assert_string_equal(data, "lowerdir=only");
	free(folder);
	free(data);
}

static void test_lowerdirs_without_common_folder_stay(void **state)
{
	char *folder, *data;

	(void)state;
	assert_int_equal(rootfs_shorten_lowerdir("lowerdir=/a/b:/c/d", &folder, &data), 0);
	assert_int_equal(rootfs_shorten_lowerdir("lowerdir=/a:/a/b", &folder, &data), 0);
	assert_int_equal(rootfs_shorten_lowerdir("lowerdir=a/b:a/c", &folder, &data), 0);
	assert_int_equal(rootfs_shorten_lowerdir("upperdir=/a", &folder, &data), 0);
	assert_int_equal(rootfs_shorten_lowerdir("lowerdir=/a/b\\:c:/a/d", &folder, &data), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags_and_data_are_told_apart),
		cmocka_unit_test(test_later_options_win),
		cmocka_unit_test(test_rbind_and_propagation),
		cmocka_unit_test(test_what_we_cannot_do_is_refused),
		cmocka_unit_test(test_lowerdirs_are_shortened_to_their_folder),
		cmocka_unit_test(test_lowerdirs_without_common_folder_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
