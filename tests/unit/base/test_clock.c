/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void a_time_is_written_as_rfc_3339(void **state)
{
	char buf[CLOCK_RFC3339_SIZE];

	(void)state;
	assert_string_equal(clock_format(0, buf), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(clock_format(-1, buf), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(clock_format(951782400000000007, buf),
			    "2000-02-29T00:00:00.000000007Z");
}

static void dates_agree_with_the_c_library(void **state)
{
	char buf[CLOCK_RFC3339_SIZE], want[32];

	(void)state;
	for (int64_t s = -5000000000; s < 9000000000; s += 86399 * 7) {
		time_t t = (time_t)s;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_memory_equal(clock_format(s * 1000000000, buf), want, 19);
	}
}

static void what_is_written_is_read(void **state)
{
	char buf[CLOCK_RFC3339_SIZE];
	int64_t ns;

	(void)state;
	for (int64_t want = 1; want < 4000000000000000000; want = want * 3 + 1) {
		assert_int_equal(clock_parse(clock_format(want, buf), &ns, NULL), 0);
		assert_true(ns == want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_rfc_3339),
		cmocka_unit_test(dates_agree_with_the_c_library),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
