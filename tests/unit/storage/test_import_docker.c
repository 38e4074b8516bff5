/* SPDX-License-Identifier: Apache-2.0 */
/* Imports of what docker save writes, in a folder and in a tar. */
#include <errno.h>

#include "tests/unit/skip.h"
#include "storage/import.h"
#include "storage/name.h"
#include "tests/unit/storage/layout.h"

static char root[64], dir[64];
static struct store *store;
static char diff_ids[3][DIGEST_TEXT_SIZE], config_hex[DIGEST_HEX_SIZE];

static int group_setup(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		puts("unpacking keeps owners and makes devices: it needs root");
		exit(77);
	}
	return 0;
}

static void put(const char *name, const void *data, size_t len)
{
	char path[256], *slash;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(dir_create(AT_FDCWD, path, 0755, NULL), 0);
	*slash = '/';
	unlink(path);
	assert_int_equal(file_replace(AT_FDCWD, path, data, len, 0644, false, NULL), 0);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_layer(const char *name, int fd, size_t n)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	digest_of_fd(fd, diff_ids[n], NULL);
	assert_int_equal(fd_read_all(fd, 1 << 20, &data, &len, NULL), 0);
	close(fd);
	put(name, data, len);
}

static void put_config(const char *architecture, size_t layers)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char name[80];

	strbuf_addf(&text,
		    "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},"
		    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
		    architecture);
	for (size_t i = 0; i < layers; i++)
		strbuf_addf(&text, "%s\"%s\"", i ? "," : "", diff_ids[i]);
	strbuf_adds(&text, "]}}");
	digest_of(text.data, text.len, config_hex);
	snprintf(name, sizeof(name), "%s.json", config_hex);
	put(name, text.data, text.len);
}

static void put_manifest(const char *tags, const char *layers)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };

	strbuf_addf(&text, "[{\"Config\":\"%s.json\",\"RepoTags\":%s,\"Layers\":[%s]}]", config_hex,
		    tags, layers);
	put("manifest.json", text.data, text.len);
}

/* Two layers, and as third a symlink to the first, as docker writes equal ones. */
static void make_image(void)
{
	char path[128];

	put_layer("aa/layer.tar", TAR({ "bin/", S_IFDIR | 0755 }, { "bin/sh", .data = "#!\n" }), 0);
	put_layer("bb/layer.tar", TAR({ "etc/passwd", .data = "root" }), 1);
	memcpy(diff_ids[2], diff_ids[0], sizeof(diff_ids[0]));
	put_text("cc/layer.tar", "");
	snprintf(path, sizeof(path), "%s/cc/layer.tar", dir);
	unlink(path);
	assert_int_equal(symlink("../aa/layer.tar", path), 0);
	put_config(this_architecture(), 3);
	put_manifest("[\"bb:latest\",\"me/bb:2\",\"localhost/bb:3\"]",
		     "\"aa/layer.tar\",\"bb/layer.tar\",\"cc/layer.tar\"");
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/cellar-unit-docker.XXXXXX");
	assert_non_null(mkdtemp(root));
	strcpy(dir, "/tmp/cellar-unit-saved.XXXXXX");
	assert_non_null(mkdtemp(dir));
	make_image();
	return store_open(root, &store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store = store_close(store);
	assert_int_equal(tree_remove(AT_FDCWD, dir, NULL), 0);
	return tree_remove(AT_FDCWD, root, NULL);
}

static int import(const char *path, const char *name, struct err *err)
{
	struct import_options options = { .path = path, .name = name };
	struct err own = { 0 };
	int r = import_layout(store, &options, NULL, NULL, err ? err : &own);

	if (own.text[0])
		print_error("%s\n", own.text);
	return r;
}

static void assert_found(const char *name)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct err err = { 0 };

	if (store_image_find(store, name, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(image->id + 7, config_hex);
	assert_int_equal(image->layers_count, 3);
}

static void assert_refused(int code, const char *sentence)
{
	struct err err = { 0 };
	int r = import(dir, NULL, &err);

	if (r != -code || !strstr(err.text, sentence))
		fail_msg("wanted %d '%s', got %d '%s'", -code, sentence, r, err.text);
	assert_int_equal(count_entries(root, "content/sha256"), 0);
	assert_int_equal(count_entries(root, "images"), 0);
	assert_int_equal(count_entries(root, "layers"), 1);
}

static void every_tag_is_a_name(void **state)
{
	struct err err = { 0 };

	(void)state;
	if (import(dir, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_found("docker.io/library/bb:latest");
	assert_found("docker.io/me/bb:2");
	assert_found("localhost/bb:3");
	assert_int_equal(count_entries(root, "images"), 3);
	/* Two layers, configuration, manifest; three chains. */
	assert_int_equal(count_entries(root, "content/sha256"), 4);
	assert_int_equal(count_entries(root, "layers"), 3 + 1);
}

static void a_name_asked_for_takes_their_place(void **state)
{
	(void)state;
	assert_int_equal(import(dir, "mine:1", NULL), 0);
	assert_found("localhost/mine:1");
	assert_int_equal(count_entries(root, "images"), 1);
}

static void without_tags_the_path_gives_a_name(void **state)
{
	char name[NAME_SIZE];

	(void)state;
	put_manifest("null", "\"aa/layer.tar\",\"bb/layer.tar\",\"cc/layer.tar\"");
	assert_int_equal(import(dir, NULL, NULL), 0);
	assert_int_equal(name_from_layout(NULL, dir, name, NULL), 0);
	assert_found(name);
}

static void gzipped_layers_are_taken(void **state)
{
	_cleanup_free_ char *data = NULL;
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int fd = memfd_create("gz", MFD_CLOEXEC);
	char path[128];
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/bb/layer.tar", dir);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &data, &len, NULL), 0);
	archive_write_set_format_raw(a);
	archive_write_add_filter_gzip(a);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_write_header(a, entry);
	assert_int_equal(archive_write_data(a, data, len), len);
	archive_write_close(a);
	archive_write_free(a);
	archive_entry_free(entry);
	free(take_ptr(data));
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(fd_read_all(fd, 1 << 20, &data, &len, NULL), 0);
	close(fd);
	put("bb/layer.tar", data, len);
	assert_int_equal(import(dir, NULL, NULL), 0);
	assert_found("docker.io/library/bb:latest");
}

static void a_symlink_out_of_the_archive_is_refused(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/cc/layer.tar", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_refused(EXDEV, "leads out of the folder");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../etc/passwd", path), 0);
	assert_refused(EXDEV, "leads out of the folder");
	put_manifest("null", "\"../layer.tar\",\"bb/layer.tar\",\"cc/layer.tar\"");
	assert_refused(EINVAL, "'../layer.tar' is no file of it");
}

static void wrong_documents_are_refused_by_name(void **state)
{
	char name[80];

	(void)state;
	put_manifest("[\"A b\"]", "\"aa/layer.tar\",\"bb/layer.tar\",\"cc/layer.tar\"");
	assert_refused(EINVAL, "manifest.json: image 1: RepoTags[0]: 'A b' is no name");
	put_manifest("null", "\"aa/layer.tar\"");
	assert_refused(EINVAL, "it has 1 Layers, but its configuration 3 diff_ids");
	put_manifest("null", "\"aa/layer.tar\",\"bb/layer.tar\",\"nothing\"");
	assert_refused(ENOENT, "there is no nothing in it");
	put_text("manifest.json", "[{\"RepoTags\":null,\"Layers\":[]}]");
	assert_refused(EINVAL, "[0].Config: missing");
	put_text("manifest.json", "{\"schemaVersion\":2}");
	assert_refused(EINVAL, "manifest.json is no list of images");
	put_text("manifest.json", "[]");
	assert_refused(ENOENT, "it holds no image");
	put_manifest("null", "\"aa/layer.tar\",\"bb/layer.tar\",\"cc/layer.tar\"");
	snprintf(name, sizeof(name), "%s.json", config_hex);
	put_text(name, "{\"architecture\":\"x\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		       "\"diff_ids\":[]}}");
	assert_refused(EBADMSG, "is damaged: its content has digest");
}

static void a_spoilt_layer_is_refused(void **state)
{
	(void)state;
	put_text("bb/layer.tar", "no tar at all");
	assert_refused(EBADMSG, "is damaged: its content has digest");
}

static void a_foreign_platform_is_told_and_can_be_asked_for(void **state)
{
	struct import_options options = { .path = dir, .platform = "linux/pdp11" };
	struct err err = { 0 };

	(void)state;
	put_config("pdp11", 3);
	put_manifest("[\"bb:latest\"]", "\"aa/layer.tar\",\"bb/layer.tar\",\"cc/layer.tar\"");
	assert_refused(ENOENT, "only for linux/pdp11");
	if (import_layout(store, &options, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_found("docker.io/library/bb:latest");
}

static void a_docker_before_1_10_is_named(void **state)
{
	char path[128];

	(void)state;
	put_text("repositories", "{}");
	snprintf(path, sizeof(path), "%s/manifest.json", dir);
	assert_int_equal(unlink(path), 0);
	assert_refused(ENOTSUP, "a Docker before 1.10");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_tag_is_a_name),
		TEST(a_name_asked_for_takes_their_place),
		TEST(without_tags_the_path_gives_a_name),
		TEST(gzipped_layers_are_taken),
		TEST(a_symlink_out_of_the_archive_is_refused),
		TEST(wrong_documents_are_refused_by_name),
		TEST(a_spoilt_layer_is_refused),
		TEST(a_foreign_platform_is_told_and_can_be_asked_for),
		TEST(a_docker_before_1_10_is_named),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
