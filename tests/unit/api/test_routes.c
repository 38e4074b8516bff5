/* SPDX-License-Identifier: Apache-2.0 */
/* How a route fits a path, and how often somebody may ask. The table's description:
 * unit-link-routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/api/rate.h"
#include "scheduler/api/routes.h"

#define MS INT64_C(1000000)

static bool fits(const char *path, const char *asked, char name[static ROUTE_NAME_SIZE])
{
	struct route route = { "GET", path, NULL };

	return route_matches(&route, asked, name);
}

static void test_a_name_is_one_part_of_a_path(void **state)
{
	char name[ROUTE_NAME_SIZE], path[400] = "/v1/jobs/";

	(void)state;
	assert_true(fits("/v1/jobs/{job}", "/v1/jobs/web", name));
	assert_string_equal(name, "web");
	assert_true(fits("/v1/jobs/{job}/scale", "/v1/jobs/web/scale", name));
	assert_string_equal(name, "web");
	assert_true(fits("/v1/jobs", "/v1/jobs", name));
	assert_string_equal(name, "");
	assert_false(fits("/v1/jobs/{job}", "/v1/jobs/", name));
	assert_false(fits("/v1/jobs/{job}", "/v1/jobs/web/", name));
	assert_false(fits("/v1/jobs/{job}", "/v1/jobs/web/scale", name));
	assert_false(fits("/v1/jobs/{job}/scale", "/v1/jobs/web", name));
	assert_false(fits("/v1/jobs", "/v1/jobs/", name));
	assert_false(fits("/v1/jobs", "/v1/job", name));
	memset(path + 9, 'a', 300);
	assert_false(fits("/v1/jobs/{job}", path, name));
}

static void test_a_caller_has_a_rate_of_its_own(void **state)
{
	static struct rate rate;
	int64_t now = 1000 * MS;
	int n = 0;

	(void)state;
	while (rate_take(&rate, 1, now))
		n++;
	assert_int_equal(n, RATE_BURST);
	assert_true(rate_take(&rate, 2, now));
	assert_false(rate_take(&rate, 1, now + MS));
	for (n = 0; rate_take(&rate, 1, now + 101 * MS); n++)
		;
	assert_in_range(n, RATE_PER_S / 10 - 1, RATE_PER_S / 10 + 1);
	for (n = 0; rate_take(&rate, 1, now + 1000000 * MS); n++)
		;
	assert_int_equal(n, RATE_BURST);
}

static void test_many_callers_share_the_buckets(void **state)
{
	static struct rate rate;

	(void)state;
	for (int i = 0; i < RATE_BUCKETS * 10; i++)
		assert_true(rate_take(&rate, (uint64_t)i, (i + 1) * MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_one_part_of_a_path),
		cmocka_unit_test(test_a_caller_has_a_rate_of_its_own),
		cmocka_unit_test(test_many_callers_share_the_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
