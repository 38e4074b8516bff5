/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives made to mislead an import: each test is one attack by the archive around the layers.
 * What is refused leaves the store empty; "secret" beside it is what must not get in.
 */
#include <errno.h>

#include "storage/import.h"
#include "tests/unit/storage/rawtar.h"

static char root[64], secret[80];
static struct store *store;
static struct layout layout;

static int group_setup(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		puts("unpacking keeps owners and makes devices: it needs root");
		exit(77);
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&layout, 0, sizeof(layout));
	strcpy(root, "/tmp/cellar-unit-hostile.XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(secret, sizeof(secret), "%s.secret", root);
	assert_int_equal(file_replace(AT_FDCWD, secret, "{}", 2, 0600, false, NULL), 0);
	return store_open(root, &store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store = store_close(store);
	if (layout.dir[0])
		layout_remove(&layout);
	unlink(secret);
	return tree_remove(AT_FDCWD, root, NULL);
}

static int import_fd(int fd, struct err *err)
{
	char path[64];
	struct import_options options = { .path = path };
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = import_layout(store, &options, NULL, NULL, err);
	close(fd);
	return r;
}

static void assert_empty(void)
{
	assert_int_equal(count_entries(root, "content/sha256"), 0);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
	assert_int_equal(count_entries(root, "layers"), 1);
	assert_int_equal(count_entries(root, "layers/tmp"), 0);
	assert_int_equal(count_entries(root, "images"), 0);
}

static void check(int r, const struct err *err, int code, const char *sentence)
{
	if (r != -code || !strstr(err->text, sentence))
		fail_msg("wanted %d '%s', got %d '%s'", -code, sentence, r, err->text);
	for (const char *c = err->text; *c; c++)
		assert_true((unsigned char)*c >= ' ');
	assert_empty();
}

static void tar_refused(struct raw_tar *tar, int code, const char *sentence)
{
	struct err err = { 0 };
	int r = import_fd(raw_end(tar), &err);

	check(r, &err, code, sentence);
}

static void folder_refused(int code, const char *sentence)
{
	struct import_options options = { .path = layout.dir };
	struct err err = { 0 };
	int r = import_layout(store, &options, NULL, NULL, &err);

	check(r, &err, code, sentence);
}

static void add_text(struct raw_tar *tar, const char *name, const char *text)
{
	raw_add(tar, &(struct raw_entry){ name, .data = text, .data_len = strlen(text) });
}

static const char saved[] =
	"[{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"l/layer.tar\"]}]";

/* A docker save with its one layer at l/layer.tar, to be added by the test. */
static void add_saved(struct raw_tar *tar, const char *diff_id)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		 "\"diff_ids\":[\"%s\"]}}",
		 this_architecture(), diff_id);
	add_text(tar, "c.json", text);
	add_text(tar, "manifest.json", saved);
}

#define SOME_DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void a_layer_that_is_a_symlink_out(void **state)
{
	static const char *const targets[] = { "../../../../../etc/passwd", "/etc/passwd", "../..",
					       "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct raw_tar tar = raw_start();

		add_saved(&tar, SOME_DIGEST);
		raw_add(&tar, &(struct raw_entry){ "l/layer.tar", '2', .link = targets[i] });
		tar_refused(&tar, ENOENT, "there is no l/layer.tar in it");
	}
}

static void a_layer_that_is_a_hard_link_out(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	add_saved(&tar, SOME_DIGEST);
	raw_add(&tar, &(struct raw_entry){ "l/layer.tar", '1', .link = "/etc/passwd" });
	tar_refused(&tar, ENOENT, "there is no l/layer.tar in it");
}

static void a_layer_that_is_a_loop_of_symlinks(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	add_saved(&tar, SOME_DIGEST);
	raw_add(&tar, &(struct raw_entry){ "l/layer.tar", '2', .link = "../a" });
	raw_add(&tar, &(struct raw_entry){ "a", '2', .link = "l/layer.tar" });
	tar_refused(&tar, ENOENT, "there is no l/layer.tar in it");
}

static void a_layer_that_is_a_device(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	add_saved(&tar, SOME_DIGEST);
	raw_add(&tar,
		&(struct raw_entry){ "l/layer.tar", '3', .major = "0000001", .minor = "0000005" });
	tar_refused(&tar, ENOENT, "there is no l/layer.tar in it");
}

static void a_layer_that_is_another_than_its_digest_says(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	add_saved(&tar, SOME_DIGEST);
	add_text(&tar, "l/layer.tar", "something else");
	tar_refused(&tar, EBADMSG, "is damaged: its content has digest");
}

/* Of two files with one name the last counts, for every reader alike. */
static void a_manifest_that_comes_twice(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	add_text(&tar, "manifest.json", "[{\"Config\":\"first.json\",\"Layers\":[]}]");
	add_text(&tar, "manifest.json", "[{\"Config\":\"second.json\",\"Layers\":[]}]");
	tar_refused(&tar, ENOENT, "there is no second.json in it");
}

static void a_config_outside_the_folder(void **state)
{
	char text[256];

	(void)state;
	layout_start(&layout);
	snprintf(text, sizeof(text), "[{\"Config\":\"../../..%s\",\"Layers\":[]}]", secret);
	layout_file(&layout, "manifest.json", text);
	folder_refused(EINVAL, "is no file of it");
	snprintf(text, sizeof(text), "%s/link.json", layout.dir);
	assert_int_equal(symlink(secret, text), 0);
	layout_file(&layout, "manifest.json", "[{\"Config\":\"link.json\",\"Layers\":[]}]");
	folder_refused(EXDEV, "link.json leads out of the folder");
}

static void a_blob_that_is_a_symlink_out(void **state)
{
	char path[200];

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	snprintf(path, sizeof(path), "%s/blobs/sha256/%s", layout.dir, layout.last_layer + 7);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	folder_refused(EXDEV, "leads out of the folder");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	folder_refused(EINVAL, "is no file");
}

/* 60 in each of four indexes, every one the same below: 12 million documents. */
static void a_tree_of_indexes_that_never_ends(void **state)
{
	(void)state;
	layout_start(&layout);
	strcpy(layout.architecture, "pdp11");
	layout_layer(&layout, TAR({ "a" }), LAYER_TAR, NULL);
	layout_image(&layout, NULL);
	for (int depth = 0; depth < 3; depth++) {
		_cleanup_strbuf_ struct strbuf text = { 0 };
		char digest[DIGEST_TEXT_SIZE];

		strbuf_adds(&text, "{\"schemaVersion\":2,\"manifests\":[");
		for (int i = 0; i < 60; i++)
			strbuf_addf(&text, "%s%s", i ? "," : "", layout.manifests.data);
		strbuf_adds(&text, "]}");
		layout_blob(&layout, text.data, text.len, digest);
		strbuf_deinit(&layout.manifests);
		layout.manifests = (struct strbuf){ 0 };
		strbuf_addf(&layout.manifests,
			    "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
			    "\"digest\":\"%s\",\"size\":%zu}",
			    digest, text.len);
	}
	layout_end(&layout);
	folder_refused(EFBIG, "more than 2000 documents");
}

static void an_archive_of_countless_files(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	for (int i = 0; i < 20001; i++) {
		char name[32];

		snprintf(name, sizeof(name), "f%d", i);
		raw_add(&tar, &(struct raw_entry){ name });
	}
	tar_refused(&tar, EFBIG, "more than 20000 files in it");
}

/* Its documents are small, but a file that nobody wants unpacks to 1.2 GB. */
static void an_archive_that_is_a_bomb(void **state)
{
	struct tar tar = tar_start("pax", "gzip");
	struct archive_entry *entry = archive_entry_new();
	static char zeros[1 << 20];
	struct err err = { 0 };
	int r;

	(void)state;
	archive_entry_set_pathname(entry, "zeros");
	archive_entry_set_mode(entry, S_IFREG | 0644);
	archive_entry_set_size(entry, 1200LL << 20);
	assert_int_equal(archive_write_header(tar.a, entry), ARCHIVE_OK);
	archive_entry_free(entry);
	for (int i = 0; i < 1200; i++)
		assert_int_equal(archive_write_data(tar.a, zeros, sizeof(zeros)), sizeof(zeros));
	r = import_fd(tar_end(&tar), &err);
	check(r, &err, EFBIG, "taken for an attack");
}

static void a_document_of_many_megabytes(void **state)
{
	struct raw_tar tar = raw_start();
	_cleanup_free_ char *text = malloc(5 << 20);

	(void)state;
	memset(text, ' ', 5 << 20);
	text[0] = '[';
	raw_add(&tar, &(struct raw_entry){ "manifest.json", .data = text, .data_len = 5 << 20 });
	tar_refused(&tar, EFBIG, "a document has at most");
}

static void a_layer_that_claims_exabytes(void **state)
{
	struct raw_tar tar = raw_start();
	static const char records[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
				      "31 GNU.sparse.name=l/layer.tar\n"
				      "43 GNU.sparse.realsize=4611686018427387904\n";
	char data[1024] = "1\n0\n1\n";

	(void)state;
	add_saved(&tar, SOME_DIGEST);
	raw_add(&tar,
		&(struct raw_entry){ "p", 'x', .data = records, .data_len = sizeof(records) - 1 });
	raw_add(&tar, &(struct raw_entry){ "GNUSparseFile.0/layer.tar", .data = data,
					   .data_len = sizeof(data) });
	tar_refused(&tar, ENOSPC, "No space left");
}

static void one_file_under_two_digests(void **state)
{
	struct raw_tar tar = raw_start();
	char text[700];

	(void)state;
	snprintf(text, sizeof(text),
		 "{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		 "\"diff_ids\":[\"" SOME_DIGEST "\",\"sha256:"
		 "0000000000000000000000000000000000000000000000000000000000000000\"]}}",
		 this_architecture());
	add_text(&tar, "c.json", text);
	add_text(&tar, "manifest.json",
		 "[{\"Config\":\"c.json\",\"Layers\":[\"l/layer.tar\",\"l/layer.tar\"]}]");
	/* "abc" is what SOME_DIGEST is the digest of. */
	add_text(&tar, "l/layer.tar", "abc");
	tar_refused(&tar, EBADMSG, "stands for two different blobs");
}

static void names_with_dots_are_not_found_by_others(void **state)
{
	struct raw_tar tar = raw_start();

	(void)state;
	add_text(&tar, "../manifest.json", saved);
	add_text(&tar, "x/../../manifest.json", saved);
	tar_refused(&tar, ENOENT, "no image: there is no file oci-layout");
}

static void documents_that_are_no_documents(void **state)
{
	static const char *const texts[] = { "[",
					     "[1]",
					     "[{}]",
					     "[{\"Config\":1}]",
					     "[{\"Config\":\"c\",\"Layers\":\"l\"}]",
					     "[{\"Config\":\"c\",\"Config\":\"d\",\"Layers\":[]}]",
					     "[{\"Config\":\"\",\"Layers\":[]}]",
					     "[{\"Config\":\"/\",\"Layers\":[]}]",
					     "\"x\"",
					     "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct raw_tar tar = raw_start();
		struct err err = { 0 };
		int r;

		add_text(&tar, "manifest.json", texts[i]);
		r = import_fd(raw_end(&tar), &err);
		if (r != -EINVAL && r != -EBADMSG)
			fail_msg("%s: %d %s", texts[i], r, err.text);
		check(r, &err, err.code, "manifest.json");
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_layer_that_is_a_symlink_out),
		TEST(a_layer_that_is_a_hard_link_out),
		TEST(a_layer_that_is_a_loop_of_symlinks),
		TEST(a_layer_that_is_a_device),
		TEST(a_layer_that_is_another_than_its_digest_says),
		TEST(a_manifest_that_comes_twice),
		TEST(a_config_outside_the_folder),
		TEST(a_blob_that_is_a_symlink_out),
		TEST(a_tree_of_indexes_that_never_ends),
		TEST(an_archive_of_countless_files),
		TEST(an_archive_that_is_a_bomb),
		TEST(a_document_of_many_megabytes),
		TEST(a_layer_that_claims_exabytes),
		TEST(one_file_under_two_digests),
		TEST(names_with_dots_are_not_found_by_others),
		TEST(documents_that_are_no_documents),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
