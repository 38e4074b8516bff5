/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void expect(const char *text, const char *data, size_t len)
{
	char out[BASE64_ROOM(64)], *written;

	assert_int_equal(base64_read(text, out), len);
	assert_memory_equal(out, data, len);
	written = base64_write(data, len);
	assert_string_equal(written, text);
	free(written);
}

/* RFC 4648, section 10. */
static void vectors(void **state)
{
	(void)state;
	expect("", "", 0);
	expect("Zg==", "f", 1);
	expect("Zm8=", "fo", 2);
	expect("Zm9v", "foo", 3);
	expect("Zm9vYg==", "foob", 4);
	expect("Zm9vYmE=", "fooba", 5);
	expect("Zm9vYmFy", "foobar", 6);
	expect("//79/AA=", "\xff\xfe\xfd\xfc\x00", 5);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const wrong[] = { "Z",    "Zg=",  "Zg",   "Zm9v!A==",
					     "Zm 9", "Z===", "=Zg=", "Zm9v\n" };
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(base64_read(wrong[i], out), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
