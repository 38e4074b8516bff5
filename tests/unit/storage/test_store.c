/* SPDX-License-Identifier: Apache-2.0 */
/* The store without libarchive: version, blobs, tmp folders, images by name and id, collection. */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "base/lock.h"
#include "storage/collect.h"
#include "storage/content.h"
#include "storage/images.h"
#include "storage/layers.h"
#include "storage/store.h"
#include "storage/tmp.h"
#include "tests/unit/storage/layout.h"

static char root[64];
static struct store *store;

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/cellar-unit-store.XXXXXX");
	assert_non_null(mkdtemp(root));
	return store_open(root, &store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store = store_close(store);
	return tree_remove(AT_FDCWD, root, NULL);
}

static void digest_text(const char *text, char ret[static DIGEST_TEXT_SIZE])
{
	memcpy(ret, "sha256:", 7);
	digest_of(text, strlen(text), ret + 7);
}

static void a_newer_store_is_refused(void **state)
{
	struct store *other = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(file_replace(store_fd(store), "version", "2\n", 2, 0644, false, NULL), 0);
	assert_int_equal(store_open(root, &other, &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.text, "newer Cellar"));
	assert_null(other);
	assert_int_equal(file_replace(store_fd(store), "version", "x\n", 2, 0644, false, NULL), 0);
	assert_int_equal(store_open(root, &other, &err), -EINVAL);
}

static void a_path_that_overlay_cannot_take_is_refused(void **state)
{
	static const char *const paths[] = { "/tmp/a:b", "/tmp/a,b", "/tmp/a\\b", "" };
	struct store *other = NULL;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(store_open(paths[i], &other, &err), -EINVAL);
	assert_false(exists("/tmp", "a:b"));
}

static void layers_and_content_are_roots_alone(void **state)
{
	static const char *const folders[] = { "content", "layers", "l", "images" };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(fstatat(store_fd(store), folders[i], &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
}

static void a_blob_is_there_when_committed(void **state)
{
	char digest[DIGEST_TEXT_SIZE];
	_cleanup_free_ char *text = NULL;
	size_t len;

	(void)state;
	digest_text("hello", digest);
	assert_int_equal(content_find(store, digest, 5, NULL), 0);
	assert_int_equal(content_put(store, digest, "hello", 5, NULL), 0);
	assert_int_equal(content_find(store, digest, 5, NULL), 1);
	assert_int_equal(content_read(store, digest, &text, &len, NULL), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(content_find(store, digest, 6, NULL), -EBADMSG);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
}

static void a_wrong_blob_leaves_nothing_and_both_values_are_named(void **state)
{
	char digest[DIGEST_TEXT_SIZE], other[DIGEST_TEXT_SIZE];
	_cleanup_content_writer_ struct content_writer *w = NULL;
	struct err err = { 0 };

	(void)state;
	digest_text("hello", digest);
	digest_text("jello", other);
	assert_int_equal(content_put(store, digest, "jello", 5, &err), -EBADMSG);
	assert_non_null(strstr(err.text, digest));
	assert_non_null(strstr(err.text, other));
	assert_int_equal(content_writer_open(store, digest, 7, &w, NULL), 0);
	assert_int_equal(content_write(w, "hello", 5, NULL), 0);
	assert_int_equal(content_writer_commit(w, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "5 bytes, but 7"));
	assert_int_equal(content_write(w, "hello", 5, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "more than the 7"));
	w = content_writer_close(w);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
	assert_int_equal(count_entries(root, "content/sha256"), 0);
	assert_int_equal(content_put(store, "sha256:../../../x", "", 0, &err), -EINVAL);
}

static void a_damaged_document_is_noticed(void **state)
{
	char digest[DIGEST_TEXT_SIZE], path[128];
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };

	(void)state;
	digest_text("hello", digest);
	assert_int_equal(content_put(store, digest, "hello", 5, NULL), 0);
	snprintf(path, sizeof(path), "content/sha256/%s", digest + 7);
	assert_int_equal(file_replace(store_fd(store), path, "jello", 5, 0600, false, NULL), 0);
	assert_int_equal(content_read(store, digest, &text, NULL, &err), -EBADMSG);
	assert_null(text);
}

static void the_living_keep_their_tmp_and_the_dead_lose_it(void **state)
{
	char digest[DIGEST_TEXT_SIZE];
	int ready[2], status;
	char byte = 0;
	pid_t pid;

	(void)state;
	digest_text("hello", digest);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct content_writer *w;
		struct store *mine;
		struct tmp tmp;
		int fs;

		if (store_open(root, &mine, NULL) < 0 ||
		    content_writer_open(mine, digest, -1, &w, NULL) < 0 ||
		    layer_begin(mine, &tmp, &fs, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(content_sweep(store, NULL), 0);
	assert_int_equal(count_entries(root, "content/tmp"), 1);
	assert_int_equal(count_entries(root, "layers/tmp"), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ready[0]);
	close(ready[1]);
	store = store_close(store);
	assert_int_equal(store_open(root, &store, NULL), 0);
	assert_int_equal(content_put(store, digest, "hello", 5, NULL), 0);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
	assert_int_equal(count_entries(root, "layers/tmp"), 0);
}

/* An image with a configuration and a layer made of its name; the layer is shared by all. */
static void add_image(const char *name, const char *salt)
{
	char config[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE], layer[DIGEST_TEXT_SIZE];
	char own[DIGEST_HEX_SIZE], text[1024], blob[64];
	const char *layers[] = { NULL, own, NULL };
	struct store_image image = { .name = name, .layers = layers, .layers_count = 2 };
	char shared[DIGEST_HEX_SIZE];

	snprintf(blob, sizeof(blob), "layer of %s", salt);
	digest_text(blob, layer);
	assert_int_equal(content_put(store, layer, blob, strlen(blob), NULL), 0);
	snprintf(
		text, sizeof(text),
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"%s\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		salt, layer);
	digest_text(text, config);
	assert_int_equal(content_put(store, config, text, strlen(text), NULL), 0);
	snprintf(
		text, sizeof(text),
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1},\"layers\":[{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1}]}",
		config, layer);
	digest_text(text, manifest);
	assert_int_equal(content_put(store, manifest, text, strlen(text), NULL), 0);
	image.id = config;
	image.manifest.digest = manifest;
	image.manifest.media_type = "x";
	digest_of("shared", 6, shared);
	layers[0] = shared;
	layer_chain_id(shared, layer, own);
	for (int i = 0; i < 2; i++) {
		_cleanup_tmp_ struct tmp tmp = TMP_NONE;
		_cleanup_fd_ int fs = -1;

		assert_int_equal(layer_begin(store, &tmp, &fs, NULL), 0);
		assert_int_equal(layer_commit(store, &tmp, layers[i], layer, NULL), 0);
	}
	assert_int_equal(image_save(store, &image, NULL), 0);
}

static const char *find_name(const char *text, struct err *err)
{
	static char name[256];
	_cleanup_store_image_ struct store_image *image = NULL;

	if (store_image_find(store, text, &image, err) < 0)
		return NULL;
	snprintf(name, sizeof(name), "%s", image->name);
	return name;
}

static void images_are_found_by_name_short_name_and_id(void **state)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct err err = { 0 };
	char id[DIGEST_TEXT_SIZE];

	(void)state;
	assert_null(find_name("bb", &err));
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "nor any other"));
	add_image("docker.io/library/bb:latest", "1");
	assert_string_equal(find_name("bb", NULL), "docker.io/library/bb:latest");
	/* The same image under both names: the nearer one. */
	add_image("localhost/bb:latest", "1");
	assert_string_equal(find_name("bb", NULL), "localhost/bb:latest");
	add_image("docker.io/library/bb:latest", "3");
	add_image("localhost/bb:latest", "2");
	assert_null(find_name("bb", &err));
	assert_int_equal(err.code, EINVAL);
	assert_non_null(strstr(err.text, "localhost/bb:latest or docker.io/library/bb:latest"));
	assert_string_equal(find_name("docker.io/library/bb", NULL), "docker.io/library/bb:latest");
	assert_int_equal(store_image_remove(store, "docker.io/library/bb", NULL, NULL, NULL), 0);
	assert_string_equal(find_name("bb", NULL), "localhost/bb:latest");
	assert_string_equal(find_name("bb:latest", NULL), "localhost/bb:latest");
	assert_int_equal(store_image_find(store, "bb", &image, NULL), 0);
	assert_string_equal(image->config.author, "2");
	strcpy(id, image->id);
	assert_string_equal(find_name(id, NULL), "localhost/bb:latest");
	id[7 + 6] = '\0';
	assert_string_equal(find_name(id, NULL), "localhost/bb:latest");
	assert_string_equal(find_name(id + 7, NULL), "localhost/bb:latest");
	id[7 + 5] = '\0';
	assert_null(find_name(id + 7, NULL));
	assert_null(find_name("b", &err));
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "localhost/bb:latest"));
	assert_null(find_name("../x", &err));
	assert_null(find_name("", &err));
}

static void wanted_platforms_and_pulls_are_judged(void **state)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct store_want want = { 0 };
	struct err err = { 0 };

	(void)state;
	add_image("localhost/bb:latest", "1");
	assert_int_equal(store_image_get(store, "bb", &want, &image, NULL), 0);
	image = store_image_free(image);
	want.platform = "linux/amd64";
	assert_int_equal(store_image_get(store, "bb", &want, &image, NULL), 0);
	want.platform = "linux/arm64";
	assert_int_equal(store_image_get(store, "bb", &want, &image, &err), -ENOENT);
	assert_non_null(strstr(err.text, "is for linux/amd64, not for linux/arm64"));
	want.platform = "linux/";
	assert_int_equal(store_image_get(store, "bb", &want, &image, &err), -EINVAL);
	want.platform = NULL;
	assert_int_equal(store_pull_parse("never", &want.pull, NULL), 0);
	assert_int_equal(store_image_get(store, "other", &want, &image, NULL), -ENOENT);
	assert_int_equal(store_pull_parse("always", &want.pull, NULL), 0);
	assert_int_equal(store_image_get(store, "bb", &want, &image, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "no client for registries"));
	assert_int_equal(store_pull_parse("sometimes", &want.pull, &err), -EINVAL);
}

static int count_image(void *data, const struct store_image *image)
{
	assert_non_null(image->config.diff_ids);
	++*(int *)data;
	return 0;
}

static void a_damaged_image_file_hides_only_itself(void **state)
{
	int count = 0;

	(void)state;
	add_image("localhost/a:1", "a");
	add_image("localhost/b:1", "b");
	assert_int_equal(
		file_replace(store_fd(store), "images/localhost%2Fa:1", "{", 1, 0600, false, NULL),
		0);
	assert_int_equal(store_image_each(store, count_image, &count, NULL), 0);
	assert_int_equal(count, 1);
	/* What it needs is not known, so nothing may be collected. */
	assert_true(store_image_remove(store, "b:1", NULL, NULL, NULL) < 0);
	assert_int_equal(count_entries(root, "layers"), 1 + 3);
}

static bool used(void *data, const char *chain_id)
{
	return strcmp(data, chain_id) == 0;
}

static void removal_takes_what_no_other_name_and_no_container_needs(void **state)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	char link[LAYER_LINK_SIZE], chain[DIGEST_HEX_SIZE];
	struct err err = { 0 };

	(void)state;
	add_image("localhost/a:1", "a");
	add_image("localhost/a:2", "a");
	add_image("localhost/b:1", "b");
	assert_int_equal(count_entries(root, "content/sha256"), 6);
	assert_int_equal(count_entries(root, "layers"), 3 + 1);
	assert_int_equal(store_image_find(store, "a:1", &image, NULL), 0);
	strcpy(chain, image->layers[1]);
	assert_int_equal(layer_link(store, chain, link, NULL), 0);
	assert_int_equal(store_image_remove(store, image->id, NULL, NULL, &err), -EBUSY);
	assert_non_null(strstr(err.text, "localhost/a:1, localhost/a:2"));
	assert_int_equal(store_image_remove(store, "a:1", NULL, NULL, NULL), 0);
	assert_int_equal(count_entries(root, "content/sha256"), 6);
	assert_int_equal(store_image_remove(store, "a:1", NULL, NULL, NULL), -ENOENT);
	assert_int_equal(store_image_remove(store, "a:2", used, chain, NULL), 0);
	assert_int_equal(count_entries(root, "content/sha256"), 3);
	assert_int_equal(count_entries(root, "layers"), 3 + 1);
	assert_int_equal(count_entries(root, "l"), 1);
	assert_int_equal(store_image_remove(store, "b:1", NULL, NULL, NULL), 0);
	assert_int_equal(count_entries(root, "content/sha256"), 0);
	assert_int_equal(count_entries(root, "layers"), 1);
	assert_int_equal(count_entries(root, "l"), 0);
}

static void a_tag_is_one_more_name(void **state)
{
	struct err err = { 0 };

	(void)state;
	add_image("localhost/a:1", "a");
	add_image("localhost/b:1", "b");
	assert_int_equal(store_image_tag(store, "a:1", "quay.io/x:2", NULL), 0);
	assert_string_equal(find_name("quay.io/x:2", NULL), "quay.io/x:2");
	/* A name that another has is taken from it, and what that one alone needed is pruned. */
	assert_int_equal(store_image_tag(store, "a:1", "b:1", NULL), 0);
	assert_int_equal(count_entries(root, "content/sha256"), 6);
	assert_int_equal(store_image_tag(store, "none", "c", &err), -ENOENT);
	assert_int_equal(store_image_tag(store, "a:1", "C d", &err), -EINVAL);
}

static void prune_takes_what_no_name_and_no_container_needs(void **state)
{
	struct store_pruned pruned = { 0 };
	char own[DIGEST_HEX_SIZE];

	(void)state;
	add_image("localhost/a:1", "a");
	add_image("localhost/b:1", "b");
	assert_int_equal(store_prune(store, NULL, NULL, &pruned, NULL), 0);
	assert_int_equal(pruned.blobs + pruned.layers, 0);
	{
		_cleanup_store_image_ struct store_image *image = NULL;

		assert_int_equal(store_image_find(store, "b:1", &image, NULL), 0);
		strcpy(own, image->layers[1]);
	}
	/* As a killed import leaves it: blobs and layers are there, and no name. */
	assert_int_equal(store_image_tag(store, "a:1", "b:1", NULL), 0);
	assert_int_equal(store_prune(store, used, own, &pruned, NULL), 0);
	assert_int_equal(pruned.blobs, 3);
	assert_true(pruned.blob_bytes > 100);
	assert_int_equal(pruned.layers, 0);
	assert_int_equal(store_prune(store, NULL, NULL, &pruned, NULL), 0);
	assert_int_equal(pruned.blobs, 0);
	assert_int_equal(pruned.layers, 1);
	assert_string_equal(find_name("a:1", NULL), "localhost/a:1");
}

static void an_image_with_a_lost_manifest_can_be_removed(void **state)
{
	_cleanup_store_image_ struct store_image *image = NULL;

	(void)state;
	add_image("localhost/a:1", "a");
	assert_int_equal(store_image_find(store, "a:1", &image, NULL), 0);
	assert_int_equal(content_remove(store, image->manifest.digest, NULL), 0);
	assert_int_equal(content_remove(store, image->id, NULL), 0);
	assert_int_equal(store_image_remove(store, "a:1", NULL, NULL, NULL), 0);
	assert_int_equal(count_entries(root, "layers"), 1);
}

static void short_links_stay_apart(void **state)
{
	char a[DIGEST_HEX_SIZE], b[DIGEST_HEX_SIZE], one[LAYER_LINK_SIZE], two[LAYER_LINK_SIZE];

	(void)state;
	memset(a, 'a', 64);
	a[64] = '\0';
	strcpy(b, a);
	b[10] = 'b';
	assert_int_equal(layer_link(store, a, one, NULL), 0);
	assert_string_equal(one, "l/aaaaaaaa");
	assert_int_equal(layer_link(store, b, two, NULL), 0);
	assert_string_equal(two, "l/aaaaaaaaa");
	assert_int_equal(layer_link(store, b, two, NULL), 0);
	assert_string_equal(two, "l/aaaaaaaaa");
	assert_int_equal(layer_link(store, a, one, NULL), 0);
	assert_string_equal(one, "l/aaaaaaaa");
}

static void a_hold_keeps_collection_away(void **state)
{
	int hold = store_hold(store, NULL), other = store_hold(store, NULL), r;

	(void)state;
	assert_true(hold >= 0 && other >= 0);
	r = lock_file(store_fd(store), "lock", false, true, NULL);
	assert_int_equal(r, -EWOULDBLOCK);
	close(hold);
	close(other);
	r = lock_file(store_fd(store), "lock", false, true, NULL);
	assert_true(r >= 0);
	close(r);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_newer_store_is_refused),
		TEST(a_path_that_overlay_cannot_take_is_refused),
		TEST(layers_and_content_are_roots_alone),
		TEST(a_blob_is_there_when_committed),
		TEST(a_wrong_blob_leaves_nothing_and_both_values_are_named),
		TEST(a_damaged_document_is_noticed),
		TEST(the_living_keep_their_tmp_and_the_dead_lose_it),
		TEST(images_are_found_by_name_short_name_and_id),
		TEST(wanted_platforms_and_pulls_are_judged),
		TEST(a_damaged_image_file_hides_only_itself),
		TEST(removal_takes_what_no_other_name_and_no_container_needs),
		TEST(a_tag_is_one_more_name),
		TEST(prune_takes_what_no_name_and_no_container_needs),
		TEST(an_image_with_a_lost_manifest_can_be_removed),
		TEST(short_links_stay_apart),
		TEST(a_hold_keeps_collection_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
