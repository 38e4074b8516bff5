/* SPDX-License-Identifier: Apache-2.0 */
/* What of an index is imported: platforms, variants, names; and what is no image. */
#include "tests/unit/storage/import_fixture.h"

static void a_foreign_platform_is_told(void **state)
{
	(void)state;
	layout_start(&layout);
	strcpy(layout.architecture, "pdp11");
	layout_layer(&layout, TAR({ "a" }), LAYER_TAR, NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_refused(ENOENT, "only for linux/pdp11");
}

static void of_an_index_this_platform_is_taken(void **state)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	(void)state;
	layout_start(&layout);
	strcpy(layout.architecture, "pdp11");
	layout_layer(&layout, TAR({ "a" }), LAYER_TAR, NULL);
	layout_image(&layout, NULL);
	strcpy(layout.architecture, this_architecture());
	layout_layer(&layout, TAR({ "b" }), LAYER_TAR, NULL);
	layout_image(&layout, NULL);
	strbuf_addf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}", layout.manifests.data);
	layout_blob(&layout, text.data, text.len, digest);
	strbuf_deinit(&layout.manifests);
	layout.manifests = (struct strbuf){ 0 };
	strbuf_addf(
		&layout.manifests,
		"{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"localhost/multi:1\"}}",
		digest, text.len);
	layout_end(&layout);
	assert_int_equal(import(NULL), 0);
	assert_found("localhost/multi:1", 1);
	assert_int_equal(count_entries(root, "images"), 1);
	assert_int_equal(count_entries(root, "content/sha256"), 3);
}

/* Puts what was listed so far into an index of its own, which is all that is listed then. */
static void nest(const char *name)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	strbuf_addf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}", layout.manifests.data);
	layout_blob(&layout, text.data, text.len, digest);
	strbuf_deinit(&layout.manifests);
	layout.manifests = (struct strbuf){ 0 };
	strbuf_addf(
		&layout.manifests,
		"{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}",
		digest, text.len, name);
}

/* One image with a layer of its own for this platform in the descriptor. */
static void add_platform(const char *architecture, const char *variant, const char *author)
{
	char closing[160];

	layout_layer(&layout, TAR({ author }), LAYER_TAR, NULL);
	strcpy(layout.architecture, architecture);
	layout_image(&layout, NULL);
	/* Behind the descriptor that was just closed. */
	layout.manifests.data[--layout.manifests.len] = '\0';
	snprintf(closing, sizeof(closing),
		 ",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\",\"variant\":\"%s\"}}",
		 architecture, variant);
	strbuf_adds(&layout.manifests, closing);
}

static bool layer_has(const char *name, const char *file)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	char path[200];

	assert_int_equal(store_image_find(store, name, &image, NULL), 0);
	snprintf(path, sizeof(path), "layers/%s/fs/%s", image->layers[0], file);
	return exists(root, path);
}

static void of_variants_the_best_that_runs_is_taken(void **state)
{
	static const struct {
		const char *platform, *file;
	} cases[] = {
		{ "linux/amd64", "a1" },    { "linux/amd64/v2", "a2" }, { "linux/amd64/v3", "a3" },
		{ "linux/amd64/v4", "a3" }, { "linux/arm64", "m8" },	{ "linux/arm64/v9", "m8" },
		{ "linux/arm/v7", "m7" },   { "linux/arm/v6", "m6" },
	};
	struct err err = { 0 };

	(void)state;
	layout_start(&layout);
	add_platform("arm", "v6", "m6");
	add_platform("amd64", "v2", "a2");
	add_platform("amd64", "", "a1");
	add_platform("amd64", "v3", "a3");
	add_platform("arm", "v7", "m7");
	add_platform("arm64", "v8", "m8");
	nest("inner");
	nest("localhost/multi:1");
	layout_end(&layout);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct import_options options = { .path = layout.dir,
						  .name = "multi:1",
						  .platform = cases[i].platform };

		if (import_layout(store, &options, NULL, NULL, &err) < 0)
			fail_msg("%s: %s", cases[i].platform, err.text);
		if (!layer_has("multi:1", cases[i].file))
			fail_msg("%s has no %s", cases[i].platform, cases[i].file);
	}
	{
		struct import_options options = { .path = layout.dir, .platform = "linux/s390x" };

		assert_int_equal(import_layout(store, &options, NULL, NULL, &err), -ENOENT);
		assert_non_null(
			strstr(err.text, "no image for linux/s390x, only for linux/arm/v6, "));
	}
}

static void indexes_too_deep_are_refused(void **state)
{
	(void)state;
	layout_start(&layout);
	add_platform(this_architecture(), "", "a");
	for (int i = 0; i < 6; i++)
		nest("localhost/deep:1");
	layout_end(&layout);
	assert_refused(EINVAL, "indexes in indexes, more than 4 deep");
}

static void foreign_layers_are_refused_in_words(void **state)
{
	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "a" }),
		     "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_refused(ENOTSUP, "a foreign layer lies on its maker's server alone");
}

/* Signatures and the like lie beside images; the specification wants unknown things passed over. */
static void what_is_no_image_is_passed_over(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"artifactType\":\"application/x-sig\",\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,\"data\":\"e30=\"},\"layers\":[]}";
	char digest[DIGEST_TEXT_SIZE];

	(void)state;
	layout_start(&layout);
	layout_blob(&layout, text, strlen(text), digest);
	strbuf_addf(
		&layout.manifests,
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu},{\"mediaType\":\"application/x-new\",\"digest\":\"%s\",\"size\":1}",
		digest, strlen(text), digest);
	layout_end(&layout);
	assert_refused(ENOENT, "things that do not run (application/x-sig)");
	layout_layer(&layout, TAR({ "a" }), LAYER_TAR, NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_int_equal(import(NULL), 0);
	assert_found("localhost/x:1", 1);
	assert_int_equal(count_entries(root, "images"), 1);
}

static void dockers_media_types_are_read(void **state)
{
	char *type;

	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "a" }), "application/vnd.docker.image.rootfs.diff.tar", NULL);
	layout_image(&layout, "localhost/x:1");
	type = strstr(layout.manifests.data, "oci.image.manifest.v1+json");
	assert_non_null(type);
	/* The index calls it Docker's: its own words are the same. */
	{
		_cleanup_strbuf_ struct strbuf text = { 0 };

		strbuf_addf(&text, "%.*sdocker.distribution.manifest.v2+json%s",
			    (int)(type - layout.manifests.data), layout.manifests.data,
			    type + strlen("oci.image.manifest.v1+json"));
		strbuf_deinit(&layout.manifests);
		layout.manifests = (struct strbuf){ 0 };
		strbuf_adds(&layout.manifests, text.data);
	}
	layout_end(&layout);
	assert_int_equal(import(NULL), 0);
	assert_found("localhost/x:1", 1);
}

static void several_images_of_a_layout(void **state)
{
	struct err err = { 0 };

	(void)state;
	layout_start(&layout);
	for (int i = 0; i < 3; i++) {
		char name[32];

		layout_layer(&layout, TAR({ "shared" }), LAYER_TAR, NULL);
		layout_layer(&layout, TAR({ "own", .mtime = i }), LAYER_TAR, NULL);
		snprintf(name, sizeof(name), "localhost/many:%d", i);
		layout_image(&layout, name);
	}
	layout_end(&layout);
	assert_int_equal(import_path(layout.dir, "one", &err), -EINVAL);
	assert_non_null(strstr(err.text, "3 images"));
	assert_empty();
	assert_int_equal(import(NULL), 0);
	assert_found("localhost/many:2", 2);
	assert_int_equal(count_entries(root, "layers"), 1 + 3 + 1);
}

static void what_is_no_layout_is_refused(void **state)
{
	struct err err = { 0 };
	char path[128];

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	layout_file(&layout, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	assert_refused(EPROTONOSUPPORT, "imageLayoutVersion");
	layout_file(&layout, "oci-layout", "{}");
	assert_refused(EINVAL, "imageLayoutVersion: missing");
	layout_end(&layout);
	layout_file(&layout, "index.json",
		    "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":7}]}");
	assert_refused(EINVAL, "index.json: manifests[0].mediaType");
	layout_file(&layout, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
	assert_refused(ENOENT, "it holds no image");
	snprintf(path, sizeof(path), "%s/oci-layout", layout.dir);
	assert_int_equal(unlink(path), 0);
	assert_refused(ENOENT, "no file oci-layout");
	assert_int_equal(import_path("/dev/null", NULL, &err), -EINVAL);
	assert_int_equal(import_path("/nonexistent", NULL, &err), -ENOENT);
	assert_int_equal(import_path(__FILE__, NULL, &err) < 0, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_foreign_platform_is_told),
		TEST(of_an_index_this_platform_is_taken),
		TEST(of_variants_the_best_that_runs_is_taken),
		TEST(indexes_too_deep_are_refused),
		TEST(foreign_layers_are_refused_in_words),
		TEST(what_is_no_image_is_passed_over),
		TEST(dockers_media_types_are_read),
		TEST(several_images_of_a_layout),
		TEST(what_is_no_layout_is_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
