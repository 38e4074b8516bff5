/* SPDX-License-Identifier: Apache-2.0 */
/* Imports of layouts: whole ones and wrong ones. */
#include "tests/unit/storage/import_fixture.h"

static void count_name(void *data, const char *name, const char *id)
{
	assert_int_equal(strncmp(id, "sha256:", 7), 0);
	assert_non_null(strchr(name, '/'));
	++*(int *)data;
}

static void count_progress(void *data, uint64_t done_bytes, uint64_t total_bytes)
{
	uint64_t *last = data;

	assert_true(done_bytes > *last && done_bytes <= total_bytes);
	*last = done_bytes;
}
static void a_folder_is_imported(void **state)
{
	uint64_t last = 0;
	struct import_options options = { .path = layout.dir,
					  .progress = count_progress,
					  .progress_data = &last };
	struct err err = { 0 };
	char path[200];
	int names = 0;

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	if (import_layout(store, &options, count_name, &names, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(names, 1);
	assert_true(last > 0);
	assert_found("localhost/bb:latest", 2);
	assert_int_equal(count_entries(root, "layers"), 2 + 1);
	assert_int_equal(count_entries(root, "content/sha256"), 4);
	assert_int_equal(count_entries(root, "layers/tmp"), 0);
	/* Again: all is there already. */
	last = UINT64_MAX;
	assert_int_equal(import_layout(store, &options, count_name, &names, &err), 0);
	snprintf(path, sizeof(path), "%s", layout.dir);
	assert_int_equal(import_path(path, "other:1", NULL), 0);
	assert_found("localhost/other:1", 2);
}

/* With libarchive itself: names as `tar -C DIR -cf FILE .` writes them. */
static void pack(const char *path, const char *filter)
{
	struct tar tar = { archive_write_new(), -1 };
	static const char *const names[] = { "oci-layout", "index.json" };
	_cleanup_dir_ DIR *dir = NULL;
	char cwd[256], blobs[128], name[512];
	struct dirent *e;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	archive_write_set_format_gnutar(tar.a);
	if (filter)
		archive_write_add_filter_by_name(tar.a, filter);
	assert_int_equal(archive_write_open_filename(tar.a, path), ARCHIVE_OK);
	snprintf(blobs, sizeof(blobs), "%s/blobs/sha256", layout.dir);
	dir = opendir(blobs);
	tar_add(&tar, &(struct tar_entry){ "./", S_IFDIR | 0755 });
	for (int i = 0; (e = readdir(dir)) || i < 2;) {
		struct archive_entry *entry = archive_entry_new();
		_cleanup_free_ char *data = NULL;
		size_t len;

		if (e && e->d_name[0] == '.') {
			archive_entry_free(entry);
			continue;
		}
		if (e)
			snprintf(name, sizeof(name), "blobs/sha256/%s", e->d_name);
		else
			snprintf(name, sizeof(name), "%s", names[i++]);
		assert_int_equal(chdir(layout.dir), 0);
		assert_int_equal(file_read(AT_FDCWD, name, 64 << 20, &data, &len, NULL), 0);
		assert_int_equal(chdir(cwd), 0);
		memmove(name + 2, name, strlen(name) + 1);
		memcpy(name, "./", 2);
		archive_entry_set_pathname(entry, name);
		archive_entry_set_mode(entry, S_IFREG | 0644);
		archive_entry_set_size(entry, (int64_t)len);
		assert_int_equal(archive_write_header(tar.a, entry), ARCHIVE_OK);
		assert_int_equal(archive_write_data(tar.a, data, len), len);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(tar.a), ARCHIVE_OK);
	archive_write_free(tar.a);
}

static void a_tar_is_imported_packed_or_not(void **state)
{
	static const char *const filters[] = { NULL, "gzip", "zstd", "xz", "bzip2" };
	char path[128];

	(void)state;
	layout_simple(&layout, "3.18");
	snprintf(path, sizeof(path), "%s/my.tar", layout.dir);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct err err = { 0 };

		pack(path, filters[i]);
		if (import_path(path, NULL, &err) < 0)
			fail_msg("%s: %s", filters[i] ? filters[i] : "plain", err.text);
		assert_found("localhost/my:3.18", 2);
		assert_int_equal(store_image_remove(store, "my:3.18", NULL, NULL, NULL), 0);
		assert_empty();
	}
}

static void a_cut_tar_is_refused(void **state)
{
	static const off_t sizes[] = { 0, 100, 600, 2000, 4000, 8000 };
	char path[128];
	struct stat st;

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	snprintf(path, sizeof(path), "%s/my.tar", layout.dir);
	pack(path, NULL);
	assert_int_equal(stat(path, &st), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct err err = { 0 };

		pack(path, NULL);
		assert_true(sizes[i] < st.st_size);
		assert_int_equal(truncate(path, sizes[i]), 0);
		assert_true(import_path(path, NULL, &err) < 0);
		assert_true(err.text[0] != '\0');
		assert_empty();
	}
}

static void compressed_layers_are_unpacked(void **state)
{
	static const struct tar_entry entries[] = { { "a", .data = "text" } };
	char diff_id[DIGEST_TEXT_SIZE];

	(void)state;
	layout_start(&layout);
	{
		/* The same tar bytes, packed: through a second archive of raw bytes. */
		_cleanup_free_ char *data = NULL;
		struct archive *a = archive_write_new();
		int plain = tar_of(entries, 1, NULL), fd = memfd_create("gz", MFD_CLOEXEC);
		struct archive_entry *entry = archive_entry_new();
		size_t len;

		digest_of_fd(plain, diff_id, NULL);
		assert_int_equal(fd_read_all(plain, 1 << 20, &data, &len, NULL), 0);
		close(plain);
		archive_write_set_format_raw(a);
		archive_write_add_filter_gzip(a);
		assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_write_header(a, entry);
		assert_int_equal(archive_write_data(a, data, len), len);
		archive_write_close(a);
		archive_write_free(a);
		archive_entry_free(entry);
		lseek(fd, 0, SEEK_SET);
		layout_layer(&layout, fd, LAYER_TAR "+gzip", diff_id);
	}
	layout_image(&layout, "localhost/gz:1");
	layout_end(&layout);
	assert_int_equal(import(NULL), 0);
	assert_found("localhost/gz:1", 1);
}

static void spoil_blob(const char *digest, const char *text, bool append)
{
	char path[200];
	_cleanup_fd_ int fd = -1;

	snprintf(path, sizeof(path), "%s/blobs/sha256/%s", layout.dir, digest + 7);
	fd = open(path, O_WRONLY | O_CLOEXEC | (append ? O_APPEND : 0));
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void spoilt_blobs_are_refused(void **state)
{
	char path[200];

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	spoil_blob(layout.last_layer, "X", false);
	assert_refused(EBADMSG, "is damaged: its content has digest sha256:");
	spoil_blob(layout.last_layer, "X", true);
	assert_refused(EBADMSG, "bytes announced");
	snprintf(path, sizeof(path), "%s/blobs/sha256/%s", layout.dir, layout.last_layer + 7);
	assert_int_equal(truncate(path, 100), 0);
	assert_refused(EBADMSG, "has 100 bytes, but ");
	assert_int_equal(unlink(path), 0);
	assert_refused(ENOENT, "there is no blobs/sha256/");
	spoil_blob(layout.last_manifest, "[", false);
	assert_refused(EBADMSG, "index.json: blob sha256:");
}

static void a_wrong_diff_id_is_refused(void **state)
{
	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "a" }), LAYER_TAR,
		     "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_refused(EBADMSG, "rootfs.diff_ids[0] is sha256:0123456789");
}

static void an_unknown_layer_type_is_refused(void **state)
{
	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "a" }), "application/x-chocolate", NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_refused(EINVAL, "layers[0].mediaType: application/x-chocolate");
}

static void layers_and_diff_ids_must_pair(void **state)
{
	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "a" }), LAYER_TAR, NULL);
	strbuf_addf(&layout.diff_ids, ",\"%s\"", layout.last_layer);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_refused(EINVAL, "1 layers, but its configuration 2 diff_ids");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_folder_is_imported),
		TEST(a_tar_is_imported_packed_or_not),
		TEST(a_cut_tar_is_refused),
		TEST(compressed_layers_are_unpacked),
		TEST(spoilt_blobs_are_refused),
		TEST(a_wrong_diff_id_is_refused),
		TEST(an_unknown_layer_type_is_refused),
		TEST(layers_and_diff_ids_must_pair),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
