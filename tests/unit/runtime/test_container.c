/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/container.h"

static void ids_of_letters_digits_and_marks_are_valid(void **state)
{
	static const char *const good[] = { "a", "A.b-c_d+9", "0", "a..b", "-x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(container_id_is_valid(good[i]));
}

static void ids_that_could_leave_the_folder_are_refused(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".x", "a/b", "../a", "a b", "a\n", "ä" };
	char long_id[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(container_id_is_valid(bad[i]));
	memset(long_id, 'a', sizeof(long_id));
	long_id[256] = '\0';
	assert_false(container_id_is_valid(long_id));
	long_id[255] = '\0';
	assert_true(container_id_is_valid(long_id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_letters_digits_and_marks_are_valid),
		cmocka_unit_test(ids_that_could_leave_the_folder_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
