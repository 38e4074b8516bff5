/* SPDX-License-Identifier: Apache-2.0 */
/* Imports of layouts: whole ones, wrong ones, at the same time, killed, on a full disk. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/skip.h"
#include "base/clock.h"
#include "base/log.h"
#include "storage/import.h"
#include "tests/unit/storage/layout.h"

static char root[64];
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
	strcpy(root, "/tmp/cellar-unit-import.XXXXXX");
	assert_non_null(mkdtemp(root));
	return store_open(root, &store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store = store_close(store);
	if (layout.dir[0])
		layout_remove(&layout);
	return tree_remove(AT_FDCWD, root, NULL);
}

static int import_path(const char *path, const char *name, struct err *err)
{
	struct import_options options = { .path = path, .name = name };
	struct err own = { 0 };
	int r = import_layout(store, &options, NULL, NULL, err ? err : &own);

	if (own.text[0])
		print_error("%s\n", own.text);
	return r;
}

static int import(struct err *err)
{
	return import_path(layout.dir, NULL, err);
}

static void assert_empty(void)
{
	assert_int_equal(count_entries(root, "content/sha256"), 0);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
	assert_int_equal(count_entries(root, "layers"), 1);
	assert_int_equal(count_entries(root, "layers/tmp"), 0);
	assert_int_equal(count_entries(root, "images"), 0);
}

/* The layout must be refused with such a sentence, and leave no trace. */
static void assert_refused(int code, const char *sentence)
{
	struct err err = { 0 };
	int r = import(&err);

	if (r != -code || !strstr(err.text, sentence))
		fail_msg("wanted %d '%s', got %d '%s'", -code, sentence, r, err.text);
	assert_null(strchr(err.text, '\n'));
	assert_empty();
}

static void assert_found(const char *name, size_t layers)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct err err = { 0 };

	if (store_image_find(store, name, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(image->name, name);
	assert_int_equal(image->layers_count, layers);
	assert_string_equal(image->config.cmd[0], "sh");
}

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

static void a_hostile_layer_leaves_nothing(void **state)
{
	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "fine" }), LAYER_TAR, NULL);
	layout_layer(&layout, TAR({ "fine2" }, { "../../../evil", .data = "x" }), LAYER_TAR, NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	assert_refused(EBADMSG, "layer 2 of 2 (sha256:");
	assert_false(exists(root, "evil"));
}

/* A failed import takes back only what nothing else needs. */
static void a_failure_leaves_other_images_whole(void **state)
{
	struct layout good;

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	assert_int_equal(import(NULL), 0);
	good = layout;
	layout_start(&layout);
	layout_layer(&layout,
		     TAR({ "./", S_IFDIR | 0755 }, { "bin/", S_IFDIR | 0755 },
			 { "bin/sh", S_IFREG | 0755, .data = "#!\n" }, { "old", .data = "x" }),
		     LAYER_TAR, NULL);
	layout_layer(&layout, TAR({ "new" }), LAYER_TAR, NULL);
	layout_layer(&layout, TAR({ "a/.." }), LAYER_TAR, NULL);
	layout_image(&layout, "localhost/bb:latest");
	layout_end(&layout);
	assert_true(import(NULL) < 0);
	assert_found("localhost/bb:latest", 2);
	assert_int_equal(count_entries(root, "layers"), 2 + 1);
	assert_int_equal(count_entries(root, "content/sha256"), 4);
	layout_remove(&good);
}

/* In a child, as another program would: own store, own descriptors. 0 or -errno as exit status. */
static pid_t import_in_child(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct import_options options = { .path = path };
		struct store *mine;

		if (store_open(root, &mine, NULL) < 0)
			_exit(99);
		_exit(import_layout(mine, &options, NULL, NULL, NULL) < 0);
	}
	return pid;
}

static void imports_at_the_same_time_share(void **state)
{
	pid_t pids[6];
	int status;

	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	for (int i = 0; i < 6; i++)
		pids[i] = import_in_child(layout.dir);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_found("localhost/bb:latest", 2);
	assert_int_equal(count_entries(root, "layers"), 2 + 1);
	assert_int_equal(count_entries(root, "layers/tmp"), 0);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
}

static void import_against_removal(void **state)
{
	(void)state;
	layout_simple(&layout, "localhost/bb:latest");
	for (int i = 0; i < 20; i++) {
		pid_t pid = import_in_child(layout.dir);
		int status, r;

		r = store_image_remove(store, "bb", NULL, NULL, NULL);
		assert_true(r == 0 || r == -ENOENT);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		if (r == -ENOENT || exists(root, "images/localhost%2Fbb:latest"))
			assert_found("localhost/bb:latest", 2);
		else
			assert_empty();
	}
}

/* Larger, so that there is something to be killed in. */
static void layout_larger(struct layout *l)
{
	layout_start(l);
	for (int n = 0; n < 4; n++) {
		struct tar tar = tar_start("pax", NULL);
		char name[64], data[3000];

		memset(data, 'a' + n, sizeof(data) - 1);
		data[sizeof(data) - 1] = '\0';
		for (int i = 0; i < 200; i++) {
			snprintf(name, sizeof(name), "d%d/e%d/file%d", n, i % 7, i);
			tar_add(&tar, &(struct tar_entry){ name, .data = data });
		}
		layout_layer(l, tar_end(&tar), LAYER_TAR, NULL);
	}
	layout_image(l, "localhost/large:1");
	layout_end(l);
}

static void a_kill_at_any_moment_is_mended_by_the_next(void **state)
{
	int64_t start_ns, whole_ns, deadline_ns;
	unsigned seed = 7, killed = 0;
	int status;

	(void)state;
	layout_larger(&layout);
	start_ns = clock_monotonic_ns();
	waitpid(import_in_child(layout.dir), &status, 0);
	assert_int_equal(status, 0);
	whole_ns = clock_monotonic_ns() - start_ns;
	deadline_ns = clock_monotonic_ns() + 3000000000LL;
	for (int i = 0; i < 40 && (clock_monotonic_ns() < deadline_ns || !killed); i++) {
		struct timespec t = { 0 };
		pid_t pid;

		assert_int_equal(store_image_remove(store, "large:1", NULL, NULL, NULL), 0);
		assert_empty();
		pid = import_in_child(layout.dir);
		t.tv_nsec = (long)((double)rand_r(&seed) / RAND_MAX * (double)whole_ns);
		t.tv_sec = t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed += WIFSIGNALED(status);
		/* The first one may have had a machine that was busier. */
		if (!WIFSIGNALED(status))
			whole_ns -= whole_ns / 4;
		/* Either it is there and whole, or it is not there. */
		if (exists(root, "images/localhost%2Flarge:1"))
			assert_found("localhost/large:1", 4);
		store = store_close(store);
		assert_int_equal(store_open(root, &store, NULL), 0);
		assert_int_equal(import(NULL), 0);
		assert_found("localhost/large:1", 4);
		assert_int_equal(count_entries(root, "layers"), 4 + 1);
		assert_int_equal(count_entries(root, "layers/tmp"), 0);
		assert_int_equal(count_entries(root, "content/tmp"), 0);
		assert_int_equal(count_entries(root, "content/sha256"), 4 + 2);
	}
	assert_true(killed > 0);
	assert_int_equal(store_image_remove(store, "large:1", NULL, NULL, NULL), 0);
	assert_empty();
}

/* In a child with a mount namespace of its own. The exit status says where it went wrong. */
static int full_disk(const char *size)
{
	struct import_options options = { .path = layout.dir };
	struct err err = { 0 };
	char remount[64];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", root, "tmpfs", 0, size) < 0)
		return 77;
	if (store_open(root, &store, &err) < 0)
		return 1;
	if (import_layout(store, &options, NULL, NULL, &err) != -ENOSPC)
		return 2;
	if (strncmp(err.text, "No space left on the disk of ", 29) != 0 ||
	    !strstr(err.text, "--root"))
		return 3;
	if (count_entries(root, "content/sha256") || count_entries(root, "content/tmp") ||
	    count_entries(root, "layers") != 1 || count_entries(root, "layers/tmp") ||
	    count_entries(root, "images"))
		return 4;
	snprintf(remount, sizeof(remount), "size=64m,nr_inodes=0");
	if (mount("tmpfs", root, "tmpfs", MS_REMOUNT, remount) < 0)
		return 5;
	if (import_layout(store, &options, NULL, NULL, &err) < 0)
		return 6;
	return 0;
}

static void a_full_disk_is_one_sentence_and_no_trace(void **state)
{
	/* Not enough for the blobs; for the blobs only; and for no inodes. */
	static const char *const sizes[] = { "size=1m,nr_inodes=0", "size=4m,nr_inodes=0",
					     "size=64m,nr_inodes=400" };

	(void)state;
	layout_larger(&layout);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(full_disk(sizes[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			skip_because("no tmpfs may be mounted here");
		if (status != 0)
			fail_msg("%s: step %d failed", sizes[i], WEXITSTATUS(status));
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

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
		TEST(a_foreign_platform_is_told),
		TEST(of_an_index_this_platform_is_taken),
		TEST(of_variants_the_best_that_runs_is_taken),
		TEST(indexes_too_deep_are_refused),
		TEST(foreign_layers_are_refused_in_words),
		TEST(what_is_no_image_is_passed_over),
		TEST(dockers_media_types_are_read),
		TEST(several_images_of_a_layout),
		TEST(what_is_no_layout_is_refused),
		TEST(a_hostile_layer_leaves_nothing),
		TEST(a_failure_leaves_other_images_whole),
		TEST(imports_at_the_same_time_share),
		TEST(import_against_removal),
		TEST(a_kill_at_any_moment_is_mended_by_the_next),
		TEST(a_full_disk_is_one_sentence_and_no_trace),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
