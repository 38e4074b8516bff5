/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of service, over a folder that plays the resctrl file system. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cgroups/resctrl.h"

static char top[] = "/tmp/cellar-resctrl-XXXXXX";

static void put(const char *path, const char *text)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	assert_int_equal(file_replace(AT_FDCWD, full, text, strlen(text), 0644, false, NULL), 0);
}

static void make(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void has(const char *path, const char *text)
{
	_cleanup_free_ char *got = NULL;
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	assert_int_equal(file_read(AT_FDCWD, full, 4096, &got, NULL, NULL), 0);
	assert_string_equal(got, text);
}

static bool is_there(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	return access(full, F_OK) == 0;
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(top) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, top, NULL);
}

static void the_plan_follows_the_rules(void **state)
{
	static const char *const lines[] = { "L2:0=3", "L3:1=7", NULL };
	const struct oci_intel_rdt rdt = { .set = true,
					   .l3_cache_schema = "L3:0=f\nMB:0=50\nL3CODE:0=1",
					   .mem_bw_schema = "MB:0=20",
					   .schemata = lines,
					   .enable_monitoring = { true, true } };
	const struct oci_intel_rdt root = { .set = true, .clos_id = "/" };
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 }, other = { 0 };

	(void)state;
	assert_int_equal(resctrl_plan_build(&rdt, "web", &plan, NULL), 0);
	assert_string_equal(plan.group, "web");
	assert_string_equal(plan.monitor, "web");
	assert_true(plan.is_own);
	assert_string_equal(plan.schemata, "L3:0=f\nL3CODE:0=1\nMB:0=20\nL2:0=3\nL3:1=7\n");
	assert_int_equal(resctrl_plan_build(&root, "web", &other, NULL), 0);
	assert_string_equal(other.group, "");
	assert_string_equal(other.monitor, "");
	assert_false(other.is_own);
	assert_null(other.schemata);
}

static void a_class_of_its_own_comes_and_goes(void **state)
{
	const struct oci_intel_rdt rdt = { .set = true, .mem_bw_schema = "MB:0=20" };
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(resctrl_plan_build(&rdt, "own", &plan, NULL), 0);
	/* No kernel fills the new folder here; what was made goes again. */
	assert_true(resctrl_apply(top, &plan, &err) < 0);
	assert_false(is_there("own"));
	make("own");
	put("own/schemata", "");
	put("own/tasks", "");
	assert_int_equal(resctrl_apply(top, &plan, &err), 0);
	has("own/schemata", "MB:0=20\n");
	assert_int_equal(resctrl_join(top, &plan, 123, &err), 0);
	has("own/tasks", "123");
	free(take_ptr(plan.schemata));
	plan.schemata = strdup("MB:0=30\n");
	assert_int_equal(resctrl_update(top, &plan, &err), 0);
	has("own/schemata", "MB:0=30\n");
}

static void a_class_that_exists_is_compared(void **state)
{
	static const struct {
		const char *wanted;
		int result;
	} table[] = {
		{ "L3:0=f", 0 },
		{ "L3:0=00F;1=7f0", 0 },
		{ "L3: 1=7f0 ;0=f", -EINVAL }, /* a blank is part of the value */
		{ "L3:0=e", -EINVAL },
		{ "L3:2=f", -EINVAL },
		{ "L2:0=f", -EINVAL },
		{ "L3:0", -EINVAL },
	};

	(void)state;
	make("shared");
	put("shared/schemata", "    MB:0=100;1= 50\n    L3:0=00000f;1=0007f0\n");
	put("shared/tasks", "");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct oci_intel_rdt rdt = { .set = true,
						   .clos_id = "shared",
						   .l3_cache_schema = table[i].wanted };
		_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };

		assert_int_equal(resctrl_plan_build(&rdt, "id", &plan, NULL), 0);
		assert_int_equal(resctrl_apply(top, &plan, NULL), table[i].result);
		assert_int_equal(resctrl_remove(top, &plan, NULL), 0);
		assert_true(is_there("shared"));
	}
	has("shared/schemata", "    MB:0=100;1= 50\n    L3:0=00000f;1=0007f0\n");
}

static void a_missing_class_without_schemata_is_refused(void **state)
{
	const struct oci_intel_rdt rdt = { .set = true, .clos_id = "missing" };
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(resctrl_plan_build(&rdt, "id", &plan, NULL), 0);
	assert_int_equal(resctrl_apply(top, &plan, &err), -ENOENT);
	assert_string_equal(err.text, "linux.intelRdt.closID: there is no class missing, and "
				      "without schemata it cannot be made");
}

static void monitoring_has_a_folder(void **state)
{
	const struct oci_intel_rdt rdt = { .set = true,
					   .clos_id = "watched",
					   .enable_monitoring = { true, true } };
	_cleanup_resctrl_plan_ struct resctrl_plan plan = { 0 };

	(void)state;
	make("watched");
	make("watched/mon_groups");
	put("watched/tasks", "");
	assert_int_equal(resctrl_plan_build(&rdt, "id", &plan, NULL), 0);
	assert_int_equal(resctrl_apply(top, &plan, NULL), 0);
	assert_true(is_there("watched/mon_groups/id"));
	assert_int_equal(resctrl_remove(top, &plan, NULL), 0);
	assert_false(is_there("watched/mon_groups/id"));
}

static void the_mount_point_is_found(void **state)
{
	char path[PATH_MAX], mountinfo[PATH_MAX];
	struct err err = { 0 };

	(void)state;
	snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", top);
	put("mountinfo", "25 1 0:5 / /proc rw - proc proc rw\n");
	assert_int_equal(resctrl_mountpoint(mountinfo, path, &err), -ENOTSUP);
	put("mountinfo", "25 1 0:5 / /proc rw - proc proc rw\n"
			 "26 1 0:6 / /sys/fs/resctrl rw,nosuid shared:3 - resctrl resctrl rw\n");
	assert_int_equal(resctrl_mountpoint(mountinfo, path, &err), 0);
	assert_string_equal(path, "/sys/fs/resctrl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_follows_the_rules),
		cmocka_unit_test(a_class_of_its_own_comes_and_goes),
		cmocka_unit_test(a_class_that_exists_is_compared),
		cmocka_unit_test(a_missing_class_without_schemata_is_refused),
		cmocka_unit_test(monitoring_has_a_folder),
		cmocka_unit_test(the_mount_point_is_found),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
