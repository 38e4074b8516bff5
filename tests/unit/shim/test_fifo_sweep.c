/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "runtime/shim/fifo_sweep.h"

static char folder[64];

static int enter(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/cellar-sweep-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, folder, NULL);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* As a client opens it, or with flags -1 not at all. */
static int make(const char *name, int flags)
{
	assert_return_code(mkfifo(path_of(name), 0600), errno);
	return flags < 0 ? -1 : open(path_of(name), flags | O_NONBLOCK | O_CLOEXEC);
}

static bool is_there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void what_a_dead_client_left_goes(void **state)
{
	(void)state;
	make("a.out", -1);
	make("a.err", -1);
	make("a.in", -1);
	make("b.in", -1);
	assert_int_equal(fifo_sweep_folder(folder), 0);
	/* With all in it. */
	assert_int_equal(access(folder, F_OK), -1);
	assert_int_equal(fifo_sweep_folder(folder), 0);
	assert_return_code(mkdir(folder, 0700), errno);
}

/* Their stdin is read by the shim as long as its client was not seen to have gone. */
static void input_goes_with_its_output_whoever_reads_it(void **state)
{
	int shim;

	(void)state;
	make("a.out", -1);
	shim = make("a.in", O_RDONLY);
	assert_int_equal(fifo_sweep_folder(folder), 0);
	close(shim);
	assert_return_code(mkdir(folder, 0700), errno);
}

static void what_a_client_has_open_stays(void **state)
{
	int out = make("a.out", O_RDONLY), err = make("a.err", O_RDONLY), in = make("a.in", O_RDWR);

	(void)state;
	make("b.out", -1);
	assert_int_equal(fifo_sweep_folder(folder), 3);
	assert_false(is_there("b.out"));
	close(in);
	close(err);
	assert_int_equal(fifo_sweep_folder(folder), 2);
	assert_false(is_there("a.err"));
	close(out);
	assert_int_equal(fifo_sweep_folder(folder), 0);
	assert_return_code(mkdir(folder, 0700), errno);
}

static void what_is_no_clients_stays(void **state)
{
	(void)state;
	/* The container's own, one that is being made, a folder, a file. */
	make("init.out", -1);
	make("init.in", -1);
	make(".c.out", -1);
	assert_return_code(mkdir(path_of("d.out"), 0700), errno);
	assert_return_code(file_replace(AT_FDCWD, path_of("spool"), "", 0, 0600, false, NULL), 0);
	assert_int_equal(fifo_sweep_folder(folder), 1);
	assert_true(is_there("init.out") && is_there("init.in") && is_there(".c.out") &&
		    is_there("d.out") && is_there("spool"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_dead_client_left_goes, enter, leave),
		cmocka_unit_test_setup_teardown(input_goes_with_its_output_whoever_reads_it, enter,
						leave),
		cmocka_unit_test_setup_teardown(what_a_client_has_open_stays, enter, leave),
		cmocka_unit_test_setup_teardown(what_is_no_clients_stays, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
