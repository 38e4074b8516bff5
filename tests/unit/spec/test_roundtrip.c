/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents with every member of their specification, and members that none has (tests/data): read
 * and written back they are equal as JSON, and a change of ours changes that and nothing else.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/json_merge.h"
#include "base/log.h"
#include "spec/oci_features.h"
#include "spec/oci_image.h"
#include "spec/oci_state.h"

static char *load(const char *name)
{
	char path[512], *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, NULL, NULL), 0);
	return text;
}

static bool equal(const char *one, const char *two)
{
	_cleanup_json_ struct json_doc *a = NULL, *b = NULL;
	struct json_node x, y;

	assert_int_equal(json_parse(one, strlen(one), &a, NULL), 0);
	assert_int_equal(json_parse(two, strlen(two), &b, NULL), 0);
	x = json_root(a);
	y = json_root(b);
	return json_equal(&x, &y);
}

static int through_config(const char *text, struct arena *arena, char **ret, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *c = NULL;

	(void)arena;
	err_try(oci_config_parse(text, strlen(text), &c, err));
	return oci_config_format(c, ret, NULL, err);
}

static int through_state(const char *text, struct arena *arena, char **ret, struct err *err)
{
	struct oci_state s;

	err_try(oci_state_parse(text, strlen(text), arena, &s, err));
	return oci_state_format(&s, true, ret, NULL, err);
}

static int through_features(const char *text, struct arena *arena, char **ret, struct err *err)
{
	struct oci_features f;

	err_try(oci_features_parse(text, strlen(text), arena, &f, err));
	return oci_features_format(&f, ret, NULL, err);
}

static int through_index(const char *text, struct arena *arena, char **ret, struct err *err)
{
	struct oci_index index;

	err_try(oci_index_parse(text, strlen(text), arena, &index, err));
	return oci_index_format(&index, ret, NULL, err);
}

static int through_manifest(const char *text, struct arena *arena, char **ret, struct err *err)
{
	struct oci_manifest manifest;

	err_try(oci_manifest_parse(text, strlen(text), arena, &manifest, err));
	return oci_manifest_format(&manifest, ret, NULL, err);
}

static int through_image(const char *text, struct arena *arena, char **ret, struct err *err)
{
	struct oci_image image;

	err_try(oci_image_parse(text, strlen(text), arena, &image, err));
	return oci_image_format(&image, ret, NULL, err);
}

static void nothing_is_lost(void **state)
{
	static const struct {
		const char *file;
		int (*through)(const char *text, struct arena *arena, char **ret, struct err *err);
	} cases[] = {
		{ "config-linux.json", through_config },
		{ "config-vm.json", through_config },
		{ "config-others.json", through_config },
		{ "state.json", through_state },
		{ "features.json", through_features },
		{ "image-index.json", through_index },
		{ "image-manifest.json", through_manifest },
		{ "image-config.json", through_image },
		{ "docker-manifest-list.json", through_index },
		{ "docker-manifest.json", through_manifest },
		{ "docker-config.json", through_image },
	};

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text = load(cases[i].file), *back = NULL;
		struct err err = { 0 };

		if (cases[i].through(text, arena, &back, &err) < 0)
			fail_msg("%s: %s", cases[i].file, err.text);
		if (!equal(text, back))
			fail_msg("%s came back as %s", cases[i].file, back);
	}
}

static const char *find(const char *text, const char *word)
{
	const char *found = strstr(text, word);

	if (!found)
		fail_msg("no %s in %s", word, text);
	return found;
}

static void a_change_of_config_changes_that_alone(void **state)
{
	_cleanup_free_ char *text = load("config-linux.json"), *back = NULL;
	_cleanup_oci_config_ struct oci_config *c = NULL, *again = NULL;
	struct oci_mount mounts[5];

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(oci_config_parse(text, strlen(text), &c, NULL), 0);
	c->hostname = "changed";
	c->domainname = NULL;
	c->resources.memory.limit.value = 4096;
	memcpy(mounts + 1, c->mounts, 4 * sizeof(*mounts));
	mounts[0] = (struct oci_mount){ .destination = "/new",
					.type = "tmpfs",
					.options = c->mounts[0].options };
	c->mounts = mounts;
	c->mounts_count = 5;
	assert_int_equal(oci_config_format(c, &back, NULL, NULL), 0);
	assert_int_equal(oci_config_parse(back, strlen(back), &again, NULL), 0);
	assert_string_equal(again->hostname, "changed");
	assert_null(again->domainname);
	assert_int_equal(again->resources.memory.limit.value, 4096);
	assert_int_equal(again->mounts_count, 5);
	assert_string_equal(again->mounts[0].destination, "/new");
	/* And in what was around the changes, all that we do not know. */
	find(back, "\"x-mount\": true");
	find(back, "\"kernelTCP\": -1");
	find(back, "\"x-linux\"");
	find(back, "\"x-hook\": \"kept\"");
	find(back, "\"commandLine\"");
	find(back, "2.50");
}

static void a_change_of_an_index_changes_that_alone(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = load("image-index.json"), *back = NULL;
	struct oci_descriptor manifests[2];
	struct oci_index index;

	(void)state;
	assert_int_equal(oci_index_parse(text, strlen(text), arena, &index, NULL), 0);
	memcpy(manifests, index.manifests, sizeof(manifests));
	manifests[0].size_bytes = 1;
	index.manifests = manifests;
	index.manifests_count = 1;
	index.subject = NULL;
	assert_int_equal(oci_index_format(&index, &back, NULL, NULL), 0);
	assert_null(strstr(back, "subject"));
	find(back, "\"size\":1,");
	find(back, "\"x-index\":1");
}

/* What is built in code has no source: all its members have to come by themselves. */
static void what_we_know_comes_without_its_source(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = load("features.json"), *back = NULL,
			    *vm = load("config-vm.json"), *vm_back = NULL;
	_cleanup_oci_config_ struct oci_config *c = NULL, *again = NULL;
	struct oci_features f, g;

	(void)state;
	assert_int_equal(oci_features_parse(text, strlen(text), arena, &f, NULL), 0);
	f.source.json = NULL;
	assert_int_equal(oci_features_format(&f, &back, NULL, NULL), 0);
	assert_int_equal(oci_features_parse(back, strlen(back), arena, &g, NULL), 0);
	assert_string_equal(g.linux_.seccomp.known_flags[0], "SECCOMP_FILTER_FLAG_LOG");
	assert_non_null(g.linux_.seccomp.supported_flags);
	assert_null(g.linux_.seccomp.supported_flags[0]);
	assert_true(g.linux_.idmap.value && g.linux_.cgroup_systemd_user.value);
	assert_true(g.linux_.cgroup_systemd.set && !g.linux_.cgroup_systemd.value);
	assert_string_equal(g.linux_.memory_modes[0], "MPOL_BIND");
	assert_string_equal(g.unsafe_annotations[0], "com.example.");
	assert_int_equal(oci_config_parse(vm, strlen(vm), &c, NULL), 0);
	c->source.json = NULL;
	assert_int_equal(oci_config_format(c, &vm_back, NULL, NULL), 0);
	assert_int_equal(oci_config_parse(vm_back, strlen(vm_back), &again, NULL), 0);
	assert_int_equal(again->vm->memory_bytes.value, 8388608);
	assert_int_equal(again->vm->iomems_count, 2);
	assert_true(again->vm->iomems[0].has_first_gfn && !again->vm->iomems[1].has_first_gfn);
	assert_int_equal(again->vm->irqs[1], 33);
	assert_string_equal(again->vm->hypervisor_parameters[1], "opts2=bar");
}

static void wrong_sections_are_named(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"vm\":{}}",
		  "vm.kernel: missing" },
		{ "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"vm\":{\"kernel\":{\"path\":\"k\"}}}",
		  "vm.kernel.path: " },
		{ "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"vm\":{\"kernel\":{\"path\":\"/k\"},"
		  "\"image\":{\"path\":\"/i\",\"format\":\"iso\"}}}",
		  "vm.image.format: \"iso\" is none of" },
		{ "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"vm\":{\"kernel\":{\"path\":\"/k\"},"
		  "\"hwConfig\":{\"iomems\":[{\"firstGFN\":1}]}}}",
		  "vm.hwConfig.iomems[0].firstMFN: missing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_oci_config_ struct oci_config *c = NULL;
		struct err err = { 0 };

		assert_true(oci_config_parse(cases[i].text, strlen(cases[i].text), &c, &err) < 0);
		if (!strstr(err.text, cases[i].sentence))
			fail_msg("wanted %s, got %s", cases[i].sentence, err.text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(a_change_of_config_changes_that_alone),
		cmocka_unit_test(a_change_of_an_index_changes_that_alone),
		cmocka_unit_test(what_we_know_comes_without_its_source),
		cmocka_unit_test(wrong_sections_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
