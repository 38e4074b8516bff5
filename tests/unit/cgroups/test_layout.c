/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "cgroups/cgroup_layout.h"

static const char v2_alone[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";

static const char v1_systemd[] =
	"31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd\n"
	"33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
	"34 31 0:31 / /sys/fs/cgroup/net_cls,net_prio rw - cgroup cgroup rw,net_cls,net_prio\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"36 31 0:33 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n";

static const char hybrid[] =
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
	"33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n"
	"36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
	"37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer";

static void v2_alone_is_one_hierarchy_without_a_name(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	cgroup_mounts_parse(v2_alone, &m);
	assert_int_equal(m.layout, CGROUP_V2);
	assert_int_equal(m.count, 1);
	assert_int_equal(m.v2, 0);
	assert_int_equal(m.v1[CGROUP_MEMORY], -1);
	assert_string_equal(m.hierarchies[0].name, "");
	assert_string_equal(m.hierarchies[0].mountpoint, "/sys/fs/cgroup");
	assert_true(m.hierarchies[0].v2);
}

static void comounted_controllers_share_a_hierarchy(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	cgroup_mounts_parse(v1_systemd, &m);
	assert_int_equal(m.layout, CGROUP_V1);
	assert_int_equal(m.count, 5);
	assert_int_equal(m.v2, -1);
	assert_string_equal(m.hierarchies[0].name, "systemd");
	assert_int_equal(m.v1[CGROUP_CPU], 1);
	assert_int_equal(m.v1[CGROUP_CPUACCT], 1);
	assert_string_equal(m.hierarchies[1].name, "cpu,cpuacct");
	assert_string_equal(m.hierarchies[2].name, "net_cls,net_prio");
	assert_int_equal(m.v1[CGROUP_IO], 4);
	assert_int_equal(m.v1[CGROUP_PIDS], -1);
}

static void cgroup2_comes_last_where_hybrid(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	cgroup_mounts_parse(hybrid, &m);
	assert_int_equal(m.layout, CGROUP_HYBRID);
	assert_int_equal(m.count, 5);
	assert_int_equal(m.v2, 4);
	assert_string_equal(m.hierarchies[4].mountpoint, "/sys/fs/cgroup/unified");
	assert_int_equal(m.v1[CGROUP_CPU], 0);
	assert_int_equal(m.v1[CGROUP_FREEZER], 3);
}

static void a_hierarchy_counts_once_at_its_best_mount(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	cgroup_mounts_parse("1 0 0:29 /a /var/x/cpu rw - cgroup cgroup rw,cpu\n"
			    "2 0 0:29 / /mnt/cpu rw - cgroup cgroup rw,cpu\n"
			    "3 0 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
			    "4 0 0:29 /b /sys/fs/cgroup/other rw - cgroup cgroup rw,cpu\n",
			    &m);
	assert_int_equal(m.count, 1);
	assert_string_equal(m.hierarchies[0].mountpoint, "/sys/fs/cgroup/cpu");
}

static void mount_points_are_unescaped(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	cgroup_mounts_parse("1 0 0:29 / /m\\040nt/\\134 rw - cgroup cgroup rw,memory\n", &m);
	assert_string_equal(m.hierarchies[0].mountpoint, "/m nt/\\");
}

static void broken_and_foreign_lines_are_passed_over(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	cgroup_mounts_parse("\n-\n - \n1 2 3\n1 0 0:1 / /x rw - cgroup\n1 0 0:1 - cgroup2 a b\n"
			    "1 0 0:1 / /y rw - cgroup2x none rw\n",
			    &m);
	assert_int_equal(m.count, 0);
	cgroup_mounts_parse("", &m);
	assert_int_equal(m.count, 0);
}

static void more_hierarchies_than_fit_are_left_out(void **state)
{
	char text[4096] = "";
	struct cgroup_mounts m;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"1 0 0:%d / /c/%d rw - cgroup cgroup rw,name=n%d\n", i, i,
					i);
	cgroup_mounts_parse(text, &m);
	assert_int_equal(m.count, CGROUP_HIERARCHIES_MAX);
	assert_string_equal(m.hierarchies[15].name, "n15");
}

static void this_host_is_found_as_mountinfo_tells_it(void **state)
{
	_cleanup_free_ char *text = NULL;
	const struct cgroup_mounts *found;
	struct cgroup_mounts told;

	(void)state;
	if (cgroup_mounts_find(&found, NULL) < 0)
		skip();
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 64 << 20, &text, NULL, NULL),
			 0);
	cgroup_mounts_parse(text, &told);
	assert_int_equal(found->layout, told.layout);
	/* cgroup2 at its usual place is the whole truth, whatever else is mounted. */
	if (found->layout == CGROUP_V2)
		return;
	assert_int_equal(found->count, told.count);
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		assert_int_equal(found->v1[i] < 0, told.v1[i] < 0);
		if (found->v1[i] < 0)
			continue;
		assert_string_equal(found->hierarchies[found->v1[i]].mountpoint,
				    told.hierarchies[told.v1[i]].mountpoint);
		assert_string_equal(found->hierarchies[found->v1[i]].name,
				    told.hierarchies[told.v1[i]].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_host_is_found_as_mountinfo_tells_it),
		cmocka_unit_test(v2_alone_is_one_hierarchy_without_a_name),
		cmocka_unit_test(comounted_controllers_share_a_hierarchy),
		cmocka_unit_test(cgroup2_comes_last_where_hybrid),
		cmocka_unit_test(a_hierarchy_counts_once_at_its_best_mount),
		cmocka_unit_test(mount_points_are_unescaped),
		cmocka_unit_test(broken_and_foreign_lines_are_passed_over),
		cmocka_unit_test(more_hierarchies_than_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
