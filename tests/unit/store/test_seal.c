/* SPDX-License-Identifier: Apache-2.0 */
/* What is sealed is opened by the same key and under the same label, unchanged, and not else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "scheduler/store/seal.h"

struct world {
	char dir[32], key[64];
	struct seal *seal;
	struct err err;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/cellar-seal-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->key, sizeof(w->key), "%s/key", w->dir);
	assert_int_equal(seal_open(w->key, true, &w->seal, &w->err), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	seal_close(w->seal);
	tree_remove(AT_FDCWD, w->dir, NULL);
	free(w);
	return 0;
}

static void expect_opens(struct world *w, const char *text, const char *data, size_t len)
{
	void *clear;
	size_t clear_len;

	assert_int_equal(seal_unwrap(w->seal, "o/n", text, &clear, &clear_len, &w->err), 0);
	assert_int_equal(clear_len, len);
	assert_memory_equal(clear, data, len);
	seal_wipe(clear, clear_len);
}

static void what_is_sealed_opens(void **state)
{
	static const char data[] = "any\0bytes\xff";
	struct world *w = *state;
	char *text, *other;

	assert_int_equal(seal_wrap(w->seal, "o/n", data, sizeof(data), &text, &w->err), 0);
	expect_opens(w, text, data, sizeof(data));
	/* Never the same twice. */
	assert_int_equal(seal_wrap(w->seal, "o/n", data, sizeof(data), &other, &w->err), 0);
	assert_string_not_equal(text, other);
	free(other);
	assert_int_equal(seal_wrap(w->seal, "o/n", "", 0, &other, &w->err), 0);
	expect_opens(w, other, "", 0);
	free(other);
	free(text);
	/* By the next one, too, that reads the same file. */
	assert_int_equal(seal_wrap(w->seal, "o/n", "x", 1, &text, &w->err), 0);
	seal_close(w->seal);
	assert_int_equal(seal_open(w->key, false, &w->seal, &w->err), 0);
	expect_opens(w, text, "x", 1);
	free(text);
}

static void refuse(struct world *w, const char *label, const char *text)
{
	size_t len;
	void *clear;

	assert_int_equal(seal_unwrap(w->seal, label, text, &clear, &len, &w->err), -EBADMSG);
}

static void what_is_not_so_is_refused(void **state)
{
	struct world *w = *state;
	char *text;
	size_t len;

	assert_int_equal(seal_wrap(w->seal, "o/n", "value", 5, &text, &w->err), 0);
	refuse(w, "o/m", text);
	refuse(w, "o/n", "");
	refuse(w, "o/n", "AAAA");
	refuse(w, "o/n", "no base64");
	len = strlen(text);
	for (size_t i = 0; i < len && text[i] != '='; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		/* The last character may carry bits that do not count. */
		if (text[i + 1] != '=' && text[i + 1])
			refuse(w, "o/n", text);
		text[i] = was;
	}
	unlink(w->key);
	seal_close(w->seal);
	assert_int_equal(seal_open(w->key, true, &w->seal, &w->err), 0);
	refuse(w, "o/n", text);
	free(text);
}

static void the_key_is_its_owners(void **state)
{
	struct world *w = *state;
	struct seal *seal;
	struct stat st;

	assert_int_equal(stat(w->key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	chmod(w->key, 0640);
	assert_int_equal(seal_open(w->key, false, &seal, &w->err), -EPERM);
	chmod(w->key, 0600);
	assert_int_equal(truncate(w->key, 31), 0);
	assert_int_equal(seal_open(w->key, false, &seal, &w->err), -EBADMSG);
	unlink(w->key);
	assert_int_equal(seal_open(w->key, false, &seal, &w->err), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_sealed_opens, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_so_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(the_key_is_its_owners, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
