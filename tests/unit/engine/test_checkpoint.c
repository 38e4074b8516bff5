/* SPDX-License-Identifier: Apache-2.0 */
/* When what lies in a container's folder is a checkpoint, wherever somebody was killed. */
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
#include "runtime/engine/checkpoint.h"
#include "runtime/engine/layout.h"

struct fixture {
	char dir[64];
	int fd;
	struct engine_container c;
};

static int set_up(void **state)
{
	static struct fixture f;

	strcpy(f.dir, "/tmp/test-checkpoint-XXXXXX");
	if (!mkdtemp(f.dir))
		return -1;
	f.fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f.c = (struct engine_container){ .name = "c", .dir = f.dir };
	*state = &f;
	return f.fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	return tree_remove(AT_FDCWD, f->dir, NULL);
}

static void write_file(const struct fixture *f, const char *name)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	close(fd);
}

static bool has(const struct fixture *f, const char *name)
{
	return faccessat(f->fd, name, F_OK, 0) == 0;
}

static void write_images(const struct fixture *f, const char *folder)
{
	char path[64];

	assert_return_code(mkdirat(f->fd, folder, 0700), errno);
	snprintf(path, sizeof(path), "%s/inventory.img", folder);
	write_file(f, path);
}

static void half_of_one_is_none(void **state)
{
	const struct fixture *f = *state;
	struct err err = { 0 };

	assert_false(engine_has_checkpoint(&f->c));
	write_images(f, LAYOUT_CHECKPOINT_NEW);
	assert_false(engine_has_checkpoint(&f->c));
	/* Of one that is being written nothing is removed. */
	assert_return_code(engine_drop_checkpoint(&f->c, &err), err.code);
	assert_true(has(f, LAYOUT_CHECKPOINT_NEW "/inventory.img"));
}

static void used_one_is_none_once_it_was_started(void **state)
{
	const struct fixture *f = *state;
	struct err err = { 0 };

	/* Of its first run. */
	write_file(f, LAYOUT_STARTED);
	write_images(f, LAYOUT_CHECKPOINT);
	assert_true(engine_has_checkpoint(&f->c));
	assert_return_code(unlinkat(f->fd, LAYOUT_STARTED, 0), errno);
	write_file(f, LAYOUT_CHECKPOINT_USED);
	assert_true(engine_has_checkpoint(&f->c));
	write_file(f, LAYOUT_STARTED);
	assert_false(engine_has_checkpoint(&f->c));
	assert_return_code(engine_drop_checkpoint(&f->c, &err), err.code);
	assert_false(engine_has_checkpoint(&f->c));
	assert_false(has(f, LAYOUT_CHECKPOINT));
	assert_false(has(f, LAYOUT_CHECKPOINT_NEW));
	assert_false(has(f, LAYOUT_CHECKPOINT_USED));
	/* The next one counts. */
	write_images(f, LAYOUT_CHECKPOINT);
	assert_true(engine_has_checkpoint(&f->c));
}

static void drop_goes_on_where_one_was_cut_short(void **state)
{
	const struct fixture *f = *state;
	struct err err = { 0 };

	write_images(f, LAYOUT_CHECKPOINT_NEW);
	write_file(f, LAYOUT_CHECKPOINT_USED);
	assert_return_code(engine_drop_checkpoint(&f->c, &err), err.code);
	assert_false(has(f, LAYOUT_CHECKPOINT_NEW));
	assert_false(has(f, LAYOUT_CHECKPOINT_USED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(half_of_one_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(used_one_is_none_once_it_was_started, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(drop_goes_on_where_one_was_cut_short, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
