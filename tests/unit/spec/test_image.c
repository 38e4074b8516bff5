/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "spec/oci_image.h"

#define DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define DESCRIPTOR(type) "{\"mediaType\":\"" type "\",\"digest\":\"" DIGEST "\",\"size\":3}"

static void an_index_lists_its_manifests(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		"\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"" DIGEST "\","
		"\"size\":7,\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"},"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"a:b\"}}]}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_index index = { 0 };

	(void)state;
	assert_int_equal(oci_index_parse(text, strlen(text), arena, &index, NULL), 0);
	assert_int_equal(index.manifests_count, 1);
	assert_true(oci_media_is_manifest(index.manifests[0].media_type));
	assert_string_equal(index.manifests[0].architecture, "amd64");
	assert_string_equal(
		oci_descriptor_annotation(&index.manifests[0], "org.opencontainers.image.ref.name"),
		"a:b");
}

static void a_digest_is_never_a_path(void **state)
{
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\","
				   "\"digest\":\"sha256:../../etc/passwd\",\"size\":1}]}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_index index = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(oci_index_parse(text, strlen(text), arena, &index, &err) < 0);
	assert_string_equal(err.text, "manifests[0].digest: \"sha256:../../etc/passwd\" is not "
				      "sha256: and 64 hex digits");
}

static void a_manifest_needs_config_and_layers(void **state)
{
	static const char good[] = "{\"schemaVersion\":2,\"config\":" DESCRIPTOR(
		"c") ",\"layers\":[" DESCRIPTOR("application/vnd.oci.image.layer.v1.tar+gzip") "]}";
	static const char bad[] = "{\"schemaVersion\":2,\"layers\":[]}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_manifest manifest = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(oci_manifest_parse(good, strlen(good), arena, &manifest, NULL), 0);
	assert_string_equal(oci_media_compression(manifest.layers[0].media_type), "gzip");
	assert_true(oci_manifest_parse(bad, strlen(bad), arena, &manifest, &err) < 0);
	assert_string_equal(err.text, "config: missing");
	assert_null(oci_media_compression("text/plain"));
}

static void an_image_tells_what_to_run(void **state)
{
	static const char text[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=b\"],"
		"\"Cmd\":[\"sh\"],\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/w\","
		"\"Entrypoint\":null},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST
		"\"]}}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_image image = { 0 };

	(void)state;
	assert_int_equal(oci_image_parse(text, strlen(text), arena, &image, NULL), 0);
	assert_string_equal(image.cmd[0], "sh");
	assert_null(image.entrypoint);
	assert_string_equal(image.volumes[0], "/data");
	assert_string_equal(image.working_dir, "/w");
	assert_int_equal(image.diff_ids_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_lists_its_manifests),
		cmocka_unit_test(a_digest_is_never_a_path),
		cmocka_unit_test(a_manifest_needs_config_and_layers),
		cmocka_unit_test(an_image_tells_what_to_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
