/* SPDX-License-Identifier: Apache-2.0 */
/* A shim moved to the cgroup that an operator has made for it; on whatever layout the kernel has.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skip.h"
#include "base/fd.h"
#include "base/process.h"
#include "cgroups/cgroup.h"
#include "runtime/shim/shim_cgroup.h"

static char name[64];
static struct cgroup *cgroup;
static pid_t child;
static int pidfd;
static struct err err;

/* A process to be moved, and the operator's cgroup in every hierarchy. */
static int setup(void **state)
{
	char path[80];

	(void)state;
	if (geteuid() != 0)
		return 0;
	snprintf(name, sizeof(name), "cellar-test-shim-%d", getpid());
	snprintf(path, sizeof(path), "/%s", name);
	if (cgroup_create(path, "id", &cgroup, &err) < 0) {
		cgroup = NULL;
		return 0;
	}
	child = process_clone(0, -1, &pidfd);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return 0;
}

static int teardown(void **state)
{
	int status;

	(void)state;
	if (!cgroup)
		return 0;
	process_pidfd_signal(pidfd, SIGKILL);
	process_wait(pidfd, &status);
	close(pidfd);
	if (cgroup_destroy(cgroup, &err) < 0)
		return -1;
	cgroup = cgroup_free(cgroup);
	return 0;
}

static void need_cgroup(void)
{
	if (!cgroup)
		skip_because("needs root and a writable cgroup");
}

/* In how many hierarchies it is in the folder of that path. */
static size_t count_places(const char *path)
{
	_cleanup_free_ char *text = NULL;
	char proc[64], suffix[128], *save, *line;
	size_t count = 0, len;

	snprintf(proc, sizeof(proc), "/proc/%d/cgroup", child);
	assert_return_code(file_read(AT_FDCWD, proc, 65536, &text, NULL, &err), 0);
	len = (size_t)snprintf(suffix, sizeof(suffix), "/%s", path);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		count += strlen(line) >= len && !strcmp(line + strlen(line) - len, suffix);
	return count;
}

static void it_moves_in_every_hierarchy(void **state)
{
	char absolute[80];
	size_t count;

	(void)state;
	need_cgroup();
	cgroup_hierarchies(cgroup, &count);
	assert_int_equal(count_places(name), 0);
	if (shim_cgroup_move(name, child, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(count_places(name), count);
	/* containerd's configuration has it either way. */
	snprintf(absolute, sizeof(absolute), "/%s", name);
	assert_return_code(shim_cgroup_move(absolute, child, &err), 0);
	assert_int_equal(count_places(name), count);
}

static void one_hierarchy_that_has_it_is_enough(void **state)
{
	const struct cgroup_hierarchy *all;
	char folder[CGROUP_PATH_MAX], inside[CGROUP_PATH_MAX + 8], path[80];
	size_t count;
	int r;

	(void)state;
	need_cgroup();
	all = cgroup_hierarchies(cgroup, &count);
	snprintf(inside, sizeof(inside), "%s/ops", cgroup_folder(cgroup, &all[0], folder));
	snprintf(path, sizeof(path), "%s/ops", name);
	assert_return_code(mkdir(inside, 0755), errno);
	r = shim_cgroup_move(path, child, &err);
	if (r < 0)
		fail_msg("%s", err.text);
	assert_int_equal(count_places(path), 1);
}

static void none_that_has_it_is_an_error(void **state)
{
	struct err why = { 0 };
	char path[80], text[160];

	(void)state;
	need_cgroup();
	snprintf(path, sizeof(path), "%s/none", name);
	assert_int_equal(shim_cgroup_move(path, child, &why), -ENOENT);
	snprintf(text, sizeof(text),
		 "options.shim_cgroup: open cgroup /%s: No such file or directory", path);
	assert_string_equal(why.text, text);
	assert_int_equal(count_places(path), 0);
	assert_true(shim_cgroup_move("../etc", child, &why) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_moves_in_every_hierarchy, setup, teardown),
		cmocka_unit_test_setup_teardown(one_hierarchy_that_has_it_is_enough, setup,
						teardown),
		cmocka_unit_test_setup_teardown(none_that_has_it_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
