/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cgroups/cgroup_limit.h"
#include "cgroups/cgroup_stat_text.h"
#include "cgroups/cgroup_v2.h"

static void numbers_and_no_limit(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(stat_text_number("0\n", &n));
	assert_int_equal(n, 0);
	assert_true(stat_text_number("67108864", &n));
	assert_int_equal(n, 67108864);
	assert_true(stat_text_number("max\n", &n));
	assert_true(n == UINT64_MAX);
	n = 0;
	assert_true(stat_text_number("9223372036854771712\n", &n));
	assert_true(n == UINT64_MAX);
	assert_false(stat_text_number("", &n));
	assert_false(stat_text_number("-1", &n));
	assert_false(stat_text_number("12x", &n));
	assert_true(n == UINT64_MAX);
}

static void a_key_is_found_only_whole(void **state)
{
	const char text[] = "oom 3\noom_kill 5\noom_group_kill 9\ninactive_file 77\n";
	uint64_t n = 1;

	(void)state;
	assert_true(stat_text_find(text, "oom_kill", &n));
	assert_int_equal(n, 5);
	assert_true(stat_text_find(text, "oom", &n));
	assert_int_equal(n, 3);
	assert_true(stat_text_find(text, "inactive_file", &n));
	assert_int_equal(n, 77);
	assert_false(stat_text_find(text, "kill", &n));
	assert_false(stat_text_find("", "oom", &n));
	assert_false(stat_text_find("oom x\n", "oom", &n));
	assert_int_equal(n, 77);
}

static void io_is_summed_over_devices(void **state)
{
	uint64_t r, w;

	(void)state;
	stat_text_io_v2("8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n"
			"253:1 rbytes=1 wbytes=2 rios=0 wios=0 dbytes=0 dios=0\n254:0 \n",
			&r, &w);
	assert_int_equal(r, 101);
	assert_int_equal(w, 22);
	stat_text_io_v1("8:0 Read 10\n8:0 Write 5\n8:0 Sync 15\n8:0 Total 15\n"
			"8:16 Read 1\n8:16 Write 2\nTotal 18\n",
			&r, &w);
	assert_int_equal(r, 11);
	assert_int_equal(w, 7);
	stat_text_io_v1("Total 0\n", &r, &w);
	assert_int_equal(r + w, 0);
}

static void weights_cover_their_range(void **state)
{
	(void)state;
	assert_int_equal(cgroup_weight_of_shares(0), 1);
	assert_int_equal(cgroup_weight_of_shares(2), 1);
	assert_int_equal(cgroup_weight_of_shares(1024), 100);
	assert_int_equal(cgroup_weight_of_shares(512), 59);
	assert_int_equal(cgroup_weight_of_shares(3), 2);
	assert_int_equal(cgroup_weight_of_shares(262144), 10000);
	assert_int_equal(cgroup_weight_of_shares(UINT64_MAX), 10000);
	assert_int_equal(cgroup_weight_of_blkio(10), 1);
	assert_int_equal(cgroup_weight_of_blkio(1000), 10000);
	assert_int_equal(cgroup_weight_of_blkio(5000), 10000);
}

static void controllers_are_whole_words(void **state)
{
	(void)state;
	assert_true(cgroup_list_has("cpuset cpu io", "cpu"));
	assert_true(cgroup_list_has("cpuset cpu io", "io"));
	assert_false(cgroup_list_has("cpuset io", "cpu"));
	assert_false(cgroup_list_has("", "cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_no_limit),
		cmocka_unit_test(a_key_is_found_only_whole),
		cmocka_unit_test(io_is_summed_over_devices),
		cmocka_unit_test(weights_cover_their_range),
		cmocka_unit_test(controllers_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
