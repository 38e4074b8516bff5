/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/engine/id.h"
#include "runtime/engine/names.h"

struct fixture {
	char dir[64];
	int fd;
	char a[LAYOUT_ID_SIZE], b[LAYOUT_ID_SIZE];
};

static int set_up(void **state)
{
	static struct fixture f;

	strcpy(f.dir, "/tmp/test-names-XXXXXX");
	if (!mkdtemp(f.dir) || id_make(f.a, NULL) < 0 || id_make(f.b, NULL) < 0)
		return -1;
	f.fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(f.fd, f.a, 0700);
	mkdirat(f.fd, f.b, 0700);
	*state = &f;
	return f.fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	return tree_remove(AT_FDCWD, f->dir, NULL);
}

static void name_is_taken_once_and_says_by_whom(void **state)
{
	struct fixture *f = *state;
	char id[LAYOUT_ID_SIZE];
	struct err err = { 0 };

	assert_int_equal(names_take(f->fd, "web", f->a, &err), 0);
	assert_int_equal(names_take(f->fd, "web", f->b, &err), -EEXIST);
	assert_non_null(strstr(err.text, "\"web\" is in use by container"));
	assert_int_equal(names_find(f->fd, "web", id), 0);
	assert_string_equal(id, f->a);
	assert_int_equal(names_find(f->fd, "db", id), -ENOENT);
}

static void name_of_a_vanished_container_is_taken_over(void **state)
{
	struct fixture *f = *state;
	char id[LAYOUT_ID_SIZE];

	assert_int_equal(names_take(f->fd, "web", f->a, NULL), 0);
	unlinkat(f->fd, f->a, AT_REMOVEDIR);
	assert_int_equal(names_take(f->fd, "web", f->b, NULL), 0);
	assert_int_equal(names_find(f->fd, "web", id), 0);
	assert_string_equal(id, f->b);
}

static void release_leaves_the_name_of_another(void **state)
{
	struct fixture *f = *state;
	char id[LAYOUT_ID_SIZE];

	assert_int_equal(names_take(f->fd, "web", f->a, NULL), 0);
	assert_int_equal(names_release(f->fd, "web", f->b, NULL), 0);
	assert_int_equal(names_find(f->fd, "web", id), 0);
	assert_int_equal(names_release(f->fd, "web", f->a, NULL), 0);
	assert_int_equal(names_find(f->fd, "web", id), -ENOENT);
	assert_int_equal(names_release(f->fd, "web", f->a, NULL), 0);
}

static void name_of_an_id_is_found(void **state)
{
	struct fixture *f = *state;
	char name[NAMES_MAX + 1] = "";

	assert_int_equal(names_find_of(f->fd, f->a, name), -ENOENT);
	assert_int_equal(names_take(f->fd, "web", f->a, NULL), 0);
	assert_int_equal(names_take(f->fd, "db", f->b, NULL), 0);
	assert_int_equal(names_find_of(f->fd, f->a, name), 0);
	assert_string_equal(name, "web");
}

static void what_is_no_name_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(names_take(f->fd, "web", f->a, NULL), 0);
	fd = openat(f->fd, ".names/db", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_return_code(fd, errno);
	close(fd);
	assert_int_equal(names_take(f->fd, "db", f->b, NULL), -EEXIST);
}

static void odd_names_are_invalid(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".names", "-x", "a/b", "a b", "ä", "_a" };
	char name[NAMES_MAX + 2];
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(names_is_valid(bad[i]));
	memset(name, 'a', sizeof(name));
	name[NAMES_MAX + 1] = '\0';
	assert_false(names_is_valid(name));
	name[NAMES_MAX] = '\0';
	assert_true(names_is_valid(name));
	assert_true(names_is_valid("web-1.2_b"));
}

static void made_up_names_are_valid_for_any_chance(void **state)
{
	char name[NAMES_MAX + 1];
	(void)state;

	for (uint32_t i = 0; i < 5000; i++) {
		names_make_up(i * 859433u, name);
		assert_true(names_is_valid(name));
	}
}

static void ids_are_64_hex_digits(void **state)
{
	struct fixture *f = *state;

	assert_true(id_is_valid(f->a));
	assert_string_not_equal(f->a, f->b);
	assert_true(id_is_prefix("0af"));
	assert_false(id_is_prefix(""));
	assert_false(id_is_prefix("0AF"));
	assert_false(id_is_valid("0af"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(name_is_taken_once_and_says_by_whom, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(name_of_a_vanished_container_is_taken_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(release_leaves_the_name_of_another, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(name_of_an_id_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_name_is_not_waited_for, set_up,
						tear_down),
		cmocka_unit_test(odd_names_are_invalid),
		cmocka_unit_test(made_up_names_are_valid_for_any_chance),
		cmocka_unit_test_setup_teardown(ids_are_64_hex_digits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
