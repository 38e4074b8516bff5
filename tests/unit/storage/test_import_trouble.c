/* SPDX-License-Identifier: Apache-2.0 */
/* Imports that are hostile, at the same time, killed, on a full disk. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tests/unit/skip.h"
#include "tests/unit/storage/import_fixture.h"

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_hostile_layer_leaves_nothing),
		TEST(a_failure_leaves_other_images_whole),
		TEST(imports_at_the_same_time_share),
		TEST(import_against_removal),
		TEST(a_kill_at_any_moment_is_mended_by_the_next),
		TEST(a_full_disk_is_one_sentence_and_no_trace),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
