/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/engine/mount_text.h"

static struct arena *arena;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	err = (struct err){ 0 };
	arena = arena_new();
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static struct engine_mount volume(const char *text)
{
	struct engine_mount m;

	if (mount_text_volume(text, arena, &m, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

static void paths_and_volumes_are_told_apart(void **state)
{
	struct engine_mount m = volume("/a/./b:/c//d/:ro");
	(void)state;

	assert_int_equal(m.type, ENGINE_MOUNT_BIND);
	assert_string_equal(m.source, "/a/b");
	assert_string_equal(m.target, "/c/d");
	assert_true(m.readonly);
	m = volume("data:/srv");
	assert_int_equal(m.type, ENGINE_MOUNT_VOLUME);
	assert_string_equal(m.source, "data");
	assert_false(m.readonly || m.no_copy || m.relabel);
	m = volume("/srv");
	assert_int_equal(m.type, ENGINE_MOUNT_VOLUME);
	assert_null(m.source);
	assert_string_equal(m.target, "/srv");
}

static void relative_paths_count_from_here(void **state)
{
	char here[256], want[300];
	(void)state;

	assert_int_equal(chdir("/tmp"), 0);
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(want, sizeof(want), "%s/x", here);
	assert_string_equal(volume("./x:/y").source, want);
	assert_string_equal(volume(".:/y").source, here);
	assert_string_equal(volume("..:/y").source, "/");
	assert_string_equal(volume("../etc/:/y").source, "/etc");
}

static void options_are_taken(void **state)
{
	struct engine_mount m = volume("/a:/b:z,rw,rslave,cached");
	(void)state;

	assert_true(m.relabel && !m.readonly);
	assert_string_equal(m.propagation, "rslave");
	m = volume("a:/b:nocopy,Z,ro");
	assert_true(m.no_copy && m.relabel && m.readonly);
}

static void bad_volumes_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":/a",
		"a:",
		"a:b",
		"a",
		"a/b:/c",
		"a:/b:zz",
		"~/x:/y",
		"a:/",
		"a:/b/..",
		".a:/b",
		"/",
		"...:/b",
		"/a:/b:nocopy",
		"a:/b:rshared",
		"a:/b:ro,rw",
		"/a:/b:slave,shared",
		"a:/b:ro:c",
		"::",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct engine_mount m;

		err_clear(&err);
		if (mount_text_volume(bad[i], arena, &m, &err) != -EINVAL || !*err.text)
			fail_msg("taken: %s", bad[i]);
	}
}

static void tmpfs_has_options_or_not(void **state)
{
	struct engine_mount t;
	(void)state;

	assert_int_equal(mount_text_tmpfs("/run:size=1m,exec", arena, &t, NULL), 0);
	assert_int_equal(t.type, ENGINE_MOUNT_TMPFS);
	assert_string_equal(t.target, "/run");
	assert_string_equal(t.tmpfs_options, "size=1m,exec");
	assert_int_equal(mount_text_tmpfs("/run", arena, &t, NULL), 0);
	assert_null(t.tmpfs_options);
	assert_int_equal(mount_text_tmpfs("run", arena, &t, &err), -EINVAL);
}

static void mount_words_are_dockers(void **state)
{
	struct engine_mount m;
	(void)state;

	assert_int_equal(mount_text_mount("type=bind,src=/a/./b,dst=/c/,ro,bind-propagation=rslave",
					  arena, &m, &err),
			 0);
	assert_int_equal(m.type, ENGINE_MOUNT_BIND);
	assert_true(m.readonly && m.must_exist);
	assert_string_equal(m.source, "/a/b");
	assert_string_equal(m.target, "/c");
	assert_string_equal(m.propagation, "rslave");
	assert_int_equal(mount_text_mount("source=data,target=/d,volume-nocopy,volume-label=a=b,"
					  "volume-label=c,readonly=false",
					  arena, &m, &err),
			 0);
	assert_int_equal(m.type, ENGINE_MOUNT_VOLUME);
	assert_true(m.no_copy && !m.readonly);
	assert_string_equal(m.labels[0], "a=b");
	assert_string_equal(m.labels[1], "c");
	assert_null(m.labels[2]);
	assert_int_equal(mount_text_mount("target=/d", arena, &m, &err), 0);
	assert_null(m.source);
	assert_int_equal(mount_text_mount("type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=0700",
					  arena, &m, &err),
			 0);
	assert_string_equal(m.tmpfs_options, "size=1048576,mode=700");
	assert_int_equal(mount_text_mount("type=bind,source=/a,target=/b,bind-recursive=writable",
					  arena, &m, &err),
			 0);
	assert_int_equal(m.below, ENGINE_BELOW_WRITABLE);
	assert_int_equal(mount_text_mount("type=bind,source=/a,target=/b,bind-nonrecursive=1",
					  arena, &m, &err),
			 0);
	assert_int_equal(m.below, ENGINE_BELOW_NOTHING);
}

static void quotes_keep_commas(void **state)
{
	struct engine_mount m;
	(void)state;

	assert_int_equal(
		mount_text_mount("type=bind,\"source=/a,b\"\"c\",\"target=/x,y\"", arena, &m, &err),
		0);
	assert_string_equal(m.source, "/a,b\"c");
	assert_string_equal(m.target, "/x,y");
}

static void bad_mounts_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		",",
		"type=bind",
		"type=bind,source=/a",
		"type=bind,target=/b",
		"type=bind,source=,target=/b",
		"type=bind,source=a,target=/b",
		"type=volume,source=/a,target=/b",
		"source=a/b,target=/b",
		"type=image,source=a,target=/b",
		"type=tmpfs,source=a,target=/b",
		"type=tmpfs,target=/b,tmpfs-size=x",
		"type=tmpfs,target=/b,tmpfs-mode=9",
		"type=tmpfs,target=/b,tmpfs-mode=",
		"type=tmpfs,target=/b,tmpfs-mode=77777",
		"type=tmpfs,target=/b,volume-nocopy",
		"target=/b,tmpfs-size=1m",
		"target=/b,bind-propagation=shared",
		"target=b",
		"target=/",
		"target=",
		"target=/a,dst=/b",
		"source=a,src=b,target=/c",
		"target=/a,readonly=maybe",
		"target=/a,bogus=1",
		"target=/a,bogus",
		"target",
		"target=/a,volume-driver=nfs",
		"target=/a,volume-label=",
		"type=bind,source=/a,target=/b,bind-propagation=x",
		"type=bind,source=/a,target=/b,bind-recursive=x",
		"type=bind,source=/a,target=/b,bind-recursive=readonly",
		"type=bind,source=/a,target=/b,bind-recursive=enabled,bind-nonrecursive",
		"\"target=/a",
		"\"target=/a\"x",
		"target=\"/a\"",
		"target=/a,",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct engine_mount m;

		err_clear(&err);
		if (mount_text_mount(bad[i], arena, &m, &err) != -EINVAL || !*err.text)
			fail_msg("taken: %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_volumes_are_told_apart),
		cmocka_unit_test(relative_paths_count_from_here),
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(bad_volumes_are_refused),
		cmocka_unit_test(tmpfs_has_options_or_not),
		cmocka_unit_test(mount_words_are_dockers),
		cmocka_unit_test(quotes_keep_commas),
		cmocka_unit_test(bad_mounts_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
