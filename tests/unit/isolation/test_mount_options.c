/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "isolation/mount_options.h"

#define ATIME MOUNT_ATTR__ATIME

static struct mount_options sort(const char *list)
{
	struct mount_options options = { 0 };
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", list);
	for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save))
		assert_int_equal(mount_options_add(&options, one), 0);
	return options;
}

static void attributes_are_set_and_cleared(void **state)
{
	static const struct {
		const char *list;
		uint64_t set, clear, set_recursive, clear_recursive;
	} rows[] = {
		{ "", 0, 0, 0, 0 },
		{ "defaults,async,loud", 0, 0, 0, 0 },
		{ "ro,nosuid,nodev,noexec",
		  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0,
		  0, 0 },
		{ "rw,suid", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0 },
		{ "ro,rw", 0, MOUNT_ATTR_RDONLY, 0, 0 },
		{ "rw,ro", MOUNT_ATTR_RDONLY, 0, 0, 0 },
		{ "noatime", MOUNT_ATTR_NOATIME, ATIME, 0, 0 },
		{ "noatime,strictatime", MOUNT_ATTR_STRICTATIME, ATIME, 0, 0 },
		{ "strictatime,relatime", 0, ATIME, 0, 0 },
		{ "nodiratime,nosymfollow", MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, 0, 0,
		  0 },
		{ "rro,rnosuid", 0, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0 },
		{ "rrw,rdev,rexec", 0, 0, 0,
		  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
		{ "rrelatime", 0, 0, 0, ATIME },
		{ "ro,rrw", MOUNT_ATTR_RDONLY, 0, 0, MOUNT_ATTR_RDONLY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mount_options o = sort(rows[i].list);

		if (o.set != rows[i].set || o.clear != rows[i].clear ||
		    o.set_recursive != rows[i].set_recursive ||
		    o.clear_recursive != rows[i].clear_recursive)
			fail_msg("%s: set %#lx clear %#lx, recursive %#lx %#lx", rows[i].list,
				 o.set, o.clear, o.set_recursive, o.clear_recursive);
	}
}

static void propagation_is_the_last_one(void **state)
{
	struct mount_options o = sort("rshared,private");

	(void)state;
	assert_int_equal(o.propagation, MS_PRIVATE);
	assert_false(o.propagation_recursive);
	o = sort("runbindable");
	assert_int_equal(o.propagation, MS_UNBINDABLE);
	assert_true(o.propagation_recursive);
	o = sort("rslave");
	assert_int_equal(o.propagation, MS_SLAVE);
}

static void switches_are_found(void **state)
{
	struct mount_options o = sort("rbind,ridmap,tmpcopyup,remount");

	(void)state;
	assert_true(o.bind && o.recursive && o.idmap_recursive && o.copy_up && o.remount);
	o = sort("bind");
	assert_true(o.bind && !o.recursive);
}

static void others_are_the_file_systems(void **state)
{
	static const char *const others[] = { "size=1m", "mode=755", "newinstance",
					      "xyz",	 "rxyz",     "r",
					      "",	 "ROOT",     "rsize=1" };
	struct mount_options o = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(mount_options_add(&o, others[i]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_set_and_cleared),
		cmocka_unit_test(propagation_is_the_last_one),
		cmocka_unit_test(switches_are_found),
		cmocka_unit_test(others_are_the_file_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
