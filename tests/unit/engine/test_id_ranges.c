/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/engine/id_ranges.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static char top[64];
static int fd = -1;
static struct err err;

static int setup(void **state)
{
	(void)state;
	err = (struct err){ 0 };
	strcpy(top, "/tmp/cellar-unit-ids.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || mkdirat(fd, A, 0700) < 0 || mkdirat(fd, B, 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	return tree_remove(AT_FDCWD, top, NULL);
}

static void default_range_is_fixed(void **state)
{
	struct id_ranges r;
	(void)state;

	assert_int_equal(id_ranges_parse(NULL, NULL, &r, &err), 0);
	assert_int_equal(r.first, 0x70000000);
	assert_int_equal(id_ranges_parse("joe:1:65536\n", "", &r, &err), 0);
	assert_int_equal(r.count, ID_RANGES_COUNT);
	/* All of it fits below 2^31. */
	assert_true((uint64_t)r.first + (uint64_t)r.count * ID_RANGE_SIZE <= INT32_MAX);
}

static void user_cellar_may_have_another(void **state)
{
	static const char text[] = "joe:100000:65536\ncellar:200000:200000\ncellar:1:1\n";
	struct id_ranges r;
	(void)state;

	assert_int_equal(id_ranges_parse(text, text, &r, &err), 0);
	assert_int_equal(r.first, 200000);
	assert_int_equal(r.count, 3);
	assert_int_equal(id_ranges_parse("cellar:200000:65536", "cellar:200000:65536", &r, &err),
			 0);
	assert_int_equal(r.count, 1);
}

static void bad_lines_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "cellar:200000:65536", NULL },
		{ "cellar:200000:65536", "cellar:300000:65536" },
		{ "cellar:0:65536", "cellar:0:65536" },
		{ "cellar:200000:65535", "cellar:200000:65535" },
		{ "cellar:4294900000:131072", "cellar:4294900000:131072" },
		{ "cellar:x:65536", "cellar:x:65536" },
		{ "cellar:200000:65536x", "cellar:200000:65536x" },
		{ "cellar:", "cellar:" },
	};
	struct id_ranges r;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (id_ranges_parse(bad[i][0], bad[i][1], &r, &err) != -EINVAL)
			fail_msg("taken: %s", bad[i][0]);
}

static void each_container_gets_its_own(void **state)
{
	const struct id_ranges two = { 1000000, 2 };
	uint32_t base = 0;
	(void)state;

	assert_int_equal(id_ranges_take(fd, &two, A, &base, &err), 0);
	assert_int_equal(base, 1000000);
	assert_int_equal(id_ranges_take(fd, &two, B, &base, &err), 0);
	assert_int_equal(base, 1065536);
	assert_int_equal(id_ranges_take(fd, &two, C, &base, &err), -EUSERS);
	/* Another's is not let go. */
	assert_int_equal(id_ranges_release(fd, 1000000, B, &err), 0);
	assert_int_equal(id_ranges_take(fd, &two, C, &base, &err), -EUSERS);
	assert_int_equal(id_ranges_release(fd, 1000000, A, &err), 0);
	assert_int_equal(id_ranges_take(fd, &two, C, &base, &err), 0);
	assert_int_equal(base, 1000000);
}

static void one_whose_container_is_gone_is_taken_over(void **state)
{
	const struct id_ranges one = { 1000000, 1 };
	uint32_t base = 0;
	(void)state;

	assert_int_equal(id_ranges_take(fd, &one, A, &base, &err), 0);
	/* In removal it still has its files. */
	assert_int_equal(mkdirat(fd, ".tmp", 0700), 0);
	assert_int_equal(renameat(fd, A, fd, ".tmp/" A), 0);
	assert_int_equal(id_ranges_take(fd, &one, B, &base, &err), -EUSERS);
	assert_int_equal(unlinkat(fd, ".tmp/" A, AT_REMOVEDIR), 0);
	assert_int_equal(id_ranges_take(fd, &one, B, &base, &err), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(default_range_is_fixed),
		TEST(user_cellar_may_have_another),
		TEST(bad_lines_are_refused),
		TEST(each_container_gets_its_own),
		TEST(one_whose_container_is_gone_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
