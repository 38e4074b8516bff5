/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "runtime/engine/quantity.h"

static void sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{ "1", 1 },
		{ "64m", 64 << 20 },
		{ "64M", 64 << 20 },
		{ "64MiB", 64 << 20 },
		{ "64mb", 64 << 20 },
		{ "512k", 512 << 10 },
		{ "1.5g", 1610612736 },
		{ "0.1k", 102 },
		{ "100b", 100 },
		{ "2t", INT64_C(2) << 40 },
		{ "1000000", 1000000 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t bytes = 0;

		assert_int_equal(quantity_parse_bytes(cases[i].text, &bytes, NULL), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void bad_sizes_are_refused_with_advice(void **state)
{
	static const char *const bad[] = { "",	  "m",	  "-1",	    "1.5",
					   "1x",  "64mm", "1 m",    "0",
					   "0m",  ".",	  "1bb",    "0x10",
					   "1e3", "inf",  "64mib ", "9999999999999999t" };
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { 0 };
		int64_t bytes = -7;

		assert_int_equal(quantity_parse_bytes(bad[i], &bytes, &err), -EINVAL);
		assert_int_equal(bytes, -7);
		assert_non_null(strstr(err.text, "size"));
	}
}

static void processors_are_thousandths(void **state)
{
	int64_t n = 0;
	(void)state;

	assert_int_equal(quantity_parse_cpus("0.5", &n, NULL), 0);
	assert_int_equal(n, 500);
	assert_int_equal(quantity_parse_cpus("2", &n, NULL), 0);
	assert_int_equal(n, 2000);
	assert_int_equal(quantity_parse_cpus(".25", &n, NULL), 0);
	assert_int_equal(n, 250);
	assert_int_equal(quantity_parse_cpus("0", &n, NULL), -EINVAL);
	assert_int_equal(quantity_parse_cpus("0.001", &n, NULL), -EINVAL);
	assert_int_equal(quantity_parse_cpus("1,5", &n, NULL), -EINVAL);
	assert_int_equal(quantity_parse_cpus("-1", &n, NULL), -EINVAL);
	assert_int_equal(n, 250);
}

static void bytes_are_written_shortly(void **state)
{
	char buf[QUANTITY_TEXT_SIZE];
	(void)state;

	assert_string_equal(quantity_format_bytes(0, buf), "0 B");
	assert_string_equal(quantity_format_bytes(64 << 20, buf), "64 MiB");
	assert_string_equal(quantity_format_bytes(1610612736, buf), "1.5 GiB");
	assert_string_equal(quantity_format_bytes(1023, buf), "1023 B");
	assert_string_equal(quantity_format_bytes(UINT64_MAX, buf), "16383 PiB");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(bad_sizes_are_refused_with_advice),
		cmocka_unit_test(processors_are_thousandths),
		cmocka_unit_test(bytes_are_written_shortly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
