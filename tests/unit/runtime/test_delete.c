/* SPDX-License-Identifier: Apache-2.0 */
/* What has ended is removed, by its state alone: no process, no cgroup, no privilege is needed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "runtime/container.h"
#include "runtime/record.h"

#define ID "delete-test-of-nobody"
#define SECOND_NS INT64_C(1000000000)
#define LONG_S 100000
#define HANGS "exec sleep 100000"

struct place {
	char path[64], bundle[80], other[80], state[128];
};

static int enter(void **state)
{
	static struct place p;

	strcpy(p.path, "/tmp/cellar-delete-XXXXXX");
	assert_non_null(mkdtemp(p.path));
	snprintf(p.bundle, sizeof(p.bundle), "%s/b", p.path);
	snprintf(p.other, sizeof(p.other), "%s/o", p.path);
	snprintf(p.state, sizeof(p.state), "%s/" ID, p.path);
	assert_return_code(mkdir(p.bundle, 0700), errno);
	assert_return_code(mkdir(p.other, 0700), errno);
	assert_return_code(mkdir(p.state, 0700), errno);
	*state = &p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;

	return tree_remove(AT_FDCWD, p->path, NULL);
}

static void format_timeout(int seconds, char buf[static 32])
{
	buf[0] = '\0';
	if (seconds)
		snprintf(buf, 32, ",\"timeout\":%d", seconds);
}

struct hook {
	const char *script;
	int timeout_s;
};

/* A container that has ended, with two poststop hooks of shell; a timeout of 0: none. */
static struct container *open_ended(struct place *p, struct hook first, struct hook second)
{
	struct record record = { .oci_version = "1.0.2",
				 .id = ID,
				 .bundle = p->bundle,
				 .rootfs = "/",
				 .created = "2026-01-01T00:00:00.000000000Z" };
	_cleanup_fd_ int dirfd = open(p->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static const char form[] =
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},"
		"\"args\":[\"x\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},"
		"\"linux\":{\"cgroupsPath\":\"/cellar/" ID "\"},\"hooks\":{\"poststop\":["
		"{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"%s\"]%s},"
		"{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"%s\"]%s}]}}";
	struct container *c;
	struct err err = { 0 };
	char text[1024], timeouts[2][32];

	assert_true(dirfd >= 0);
	format_timeout(first.timeout_s, timeouts[0]);
	format_timeout(second.timeout_s, timeouts[1]);
	snprintf(text, sizeof(text), form, first.script, timeouts[0], second.script, timeouts[1]);
	assert_return_code(
		file_replace(dirfd, "config.json", text, strlen(text), 0600, false, &err), 0);
	assert_return_code(record_create(dirfd, &record, &err), 0);
	record.ready = true;
	assert_return_code(record_update(dirfd, &record, &err), 0);
	assert_return_code(container_open(p->path, ID, &c, &err), 0);
	return c;
}

static const struct hook ran = { "touch ran", 0 }, hangs = { HANGS, 0 };

static bool is_there(const struct place *p)
{
	return access(p->state, F_OK) == 0;
}

static bool was_run(const struct place *p)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/ran", p->bundle);
	return access(path, F_OK) == 0;
}

/* Deletes, and frees the container. */
static int remove_it(struct container *c, const struct container_delete_options *o)
{
	struct err err = { 0 };
	int r = container_delete_with(c, o, &err);

	container_free(c);
	return r;
}

static void container_of_another_bundle_is_left_alone(void **state)
{
	struct place *p = *state;
	struct container *c = open_ended(p, ran, (struct hook){ "true", 0 });
	char name[128];

	assert_false(container_may_be_of(c, p->other));
	assert_int_equal(remove_it(c, &(struct container_delete_options){ .force = true,
									  .bundle = p->other }),
			 -ESTALE);
	assert_true(is_there(p));
	assert_false(was_run(p));
	/* By whatever name it goes. */
	snprintf(name, sizeof(name), "%s/../b/.", p->other);
	assert_return_code(container_open(p->path, ID, &c, NULL), 0);
	assert_true(container_may_be_of(c, name));
	assert_return_code(
		remove_it(c, &(struct container_delete_options){ .force = true, .bundle = name }),
		0);
	assert_false(is_there(p));
	assert_true(was_run(p));
}

static void hook_without_a_timeout_gets_the_one_that_is_given(void **state)
{
	struct place *p = *state;
	struct container *c = open_ended(p, hangs, (struct hook){ "touch ran", LONG_S });
	int64_t began_ns = clock_monotonic_ns();

	assert_return_code(remove_it(c, &(struct container_delete_options){ .hook_s = 1 }), 0);
	assert_true(clock_monotonic_ns() - began_ns >= SECOND_NS);
	assert_false(is_there(p));
	/* The others have their own time. */
	assert_true(was_run(p));
}

static void timeout_of_a_hook_comes_first(void **state)
{
	struct place *p = *state;
	struct container *c = open_ended(p, (struct hook){ HANGS, 1 }, ran);

	assert_return_code(remove_it(c, &(struct container_delete_options){ .hook_s = LONG_S }), 0);
	assert_false(is_there(p));
	assert_true(was_run(p));
}

static void hooks_together_have_no_more_than_what_is_given(void **state)
{
	struct place *p = *state;
	struct container *c = open_ended(p, (struct hook){ HANGS, LONG_S }, ran);

	assert_return_code(
		remove_it(c, &(struct container_delete_options){ .hook_s = LONG_S, .hooks_s = 1 }),
		0);
	assert_false(is_there(p));
	assert_false(was_run(p));
}

static void hooks_can_be_left_out(void **state)
{
	struct place *p = *state;
	struct container *c = open_ended(p, ran, hangs);

	assert_return_code(remove_it(c, &(struct container_delete_options){ .no_hooks = true }), 0);
	assert_false(is_there(p));
	assert_false(was_run(p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(container_of_another_bundle_is_left_alone, enter,
						leave),
		cmocka_unit_test_setup_teardown(hook_without_a_timeout_gets_the_one_that_is_given,
						enter, leave),
		cmocka_unit_test_setup_teardown(timeout_of_a_hook_comes_first, enter, leave),
		cmocka_unit_test_setup_teardown(hooks_together_have_no_more_than_what_is_given,
						enter, leave),
		cmocka_unit_test_setup_teardown(hooks_can_be_left_out, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
