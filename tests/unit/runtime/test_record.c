/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/json.h"
#include "runtime/record.h"

/* A temporary folder, open. */
struct place {
	char path[64];
	int fd;
	struct arena *arena;
};

static int enter(void **state)
{
	static struct place place;

	strcpy(place.path, "/tmp/cellar-record-XXXXXX");
	assert_non_null(mkdtemp(place.path));
	place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.arena = arena_new();
	*state = &place;
	return place.fd < 0 || !place.arena;
}

static int leave(void **state)
{
	struct place *place = *state;

	close(place->fd);
	arena_free(place->arena);
	return tree_remove(AT_FDCWD, place->path, NULL);
}

static const struct oci_annotation annotations[] = { { "a", "1" }, { "b", "\"quoted\"" } };

static const struct record sample = {
	.oci_version = "1.3.0",
	.id = "x",
	.bundle = "/b",
	.rootfs = "/b/rootfs",
	.created = "2026-01-01T00:00:00.000000000Z",
	.cgroup_path = "/cellar/x",
	.exec_fifo = true,
	.annotations = annotations,
	.annotations_count = 2,
};

static void what_was_written_is_read(void **state)
{
	struct place *place = *state;
	struct record r;

	assert_int_equal(record_create(place->fd, &sample, NULL), 0);
	assert_int_equal(record_load(place->fd, place->arena, &r, NULL), 0);
	assert_int_equal(r.pid, 0);
	assert_false(r.ready);
	assert_true(r.exec_fifo);
	assert_string_equal(r.bundle, "/b");
	assert_string_equal(r.cgroup_path, "/cellar/x");
	assert_int_equal(r.annotations_count, 2);
	assert_string_equal(r.annotations[1].value, "\"quoted\"");
}

static void an_update_changes_its_fields_and_no_length(void **state)
{
	struct place *place = *state;
	struct record r = sample;
	struct stat before, after;

	assert_int_equal(record_create(place->fd, &sample, NULL), 0);
	fstatat(place->fd, RECORD_FILE, &before, 0);
	r.pid = 2147483647;
	r.start_ticks = UINT64_MAX;
	r.ready = true;
	assert_int_equal(record_update(place->fd, &r, NULL), 0);
	fstatat(place->fd, RECORD_FILE, &after, 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(record_load(place->fd, place->arena, &r, NULL), 0);
	assert_int_equal(r.pid, 2147483647);
	assert_true(r.start_ticks == UINT64_MAX);
	assert_true(r.ready);
	assert_string_equal(r.id, "x");
}

static void the_file_is_json_for_others(void **state)
{
	struct place *place = *state;
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;

	assert_int_equal(record_create(place->fd, &sample, NULL), 0);
	assert_int_equal(file_read(place->fd, RECORD_FILE, 1 << 20, &text, &len, NULL), 0);
	assert_int_equal(json_parse(text, len, &doc, NULL), 0);
}

static void an_absent_or_torn_file_is_told_apart_from_an_error(void **state)
{
	struct place *place = *state;
	struct record r = { .pid = 7 };

	assert_int_equal(record_load(place->fd, place->arena, &r, NULL), 1);
	assert_int_equal(r.pid, 0);
	assert_null(r.damage);
	assert_int_equal(file_replace(place->fd, RECORD_FILE, "", 0, 0600, false, NULL), 0);
	assert_int_equal(record_load(place->fd, place->arena, &r, NULL), 1);
	assert_null(r.damage);
	assert_int_equal(
		file_replace(place->fd, RECORD_FILE, "{\"version\":1,", 13, 0600, false, NULL), 0);
	assert_int_equal(record_load(place->fd, place->arena, &r, NULL), 1);
	assert_non_null(r.damage);
	assert_non_null(strstr(r.damage, "state.json: not valid JSON"));
}

static void a_newer_version_is_refused_in_words(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	struct record r;

	assert_int_equal(
		file_replace(place->fd, RECORD_FILE, "{\"version\":2}", 13, 0600, false, NULL), 0);
	assert_int_equal(record_load(place->fd, place->arena, &r, &err), -EPROTO);
	assert_non_null(strstr(err.text, "written by a newer cellar"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, enter, leave),
		cmocka_unit_test_setup_teardown(an_update_changes_its_fields_and_no_length, enter,
						leave),
		cmocka_unit_test_setup_teardown(the_file_is_json_for_others, enter, leave),
		cmocka_unit_test_setup_teardown(an_absent_or_torn_file_is_told_apart_from_an_error,
						enter, leave),
		cmocka_unit_test_setup_teardown(a_newer_version_is_refused_in_words, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
