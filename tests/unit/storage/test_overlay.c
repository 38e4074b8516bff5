/* SPDX-License-Identifier: Apache-2.0 */
/* Overlays of images: option strings that mount(2) takes, however many layers there are. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/skip.h"
#include "storage/import.h"
#include "storage/store.h"
#include "tests/unit/storage/layout.h"

static char top[64], root[256];
static struct store *store;
static struct layout layout;
static struct arena *arena;

static int setup_at(const char *below)
{
	memset(&layout, 0, sizeof(layout));
	strcpy(top, "/tmp/cellar-unit-overlay.XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/%s", top, below);
	arena = arena_new();
	assert_int_equal(store_open(root, &store, NULL), 0);
	assert_int_equal(dir_create(store_fd(store), "containers/c1/rootfs", 0700, NULL), 0);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return -1;
	return setup_at("r");
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	store = store_close(store);
	if (layout.dir[0])
		layout_remove(&layout);
	return tree_remove(AT_FDCWD, top, NULL);
}

static const char *options_of(const char *name, bool is_volatile, size_t *ret_layers)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct import_options options = { .path = layout.dir };
	const char *text = NULL;
	struct err err = { 0 };
	char dir[300];

	snprintf(dir, sizeof(dir), "%s/containers/c1", root);
	if (import_layout(store, &options, NULL, NULL, &err) < 0 ||
	    store_image_find(store, name, &image, &err) < 0 ||
	    store_overlay_options(store, image, dir, is_volatile, arena, &text, &err) < 0)
		fail_msg("%s", err.text);
	*ret_layers = image->layers_count;
	return text;
}

static void options_name_short_links_topmost_first(void **state)
{
	char wanted[2048], links[2][16];
	const char *text;
	struct stat st;
	size_t layers;

	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "./", S_IFDIR | 0710, .uid = 5 }, { "a" }), LAYER_TAR, NULL);
	layout_layer(&layout, TAR({ "b" }), LAYER_TAR, NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	text = options_of("x:1", true, &layers);
	assert_int_equal(layers, 2);
	assert_int_equal(sscanf(text + strlen("lowerdir=") + strlen(root) + 3, "%8s", links[1]), 1);
	assert_int_equal(sscanf(strchr(text, ':') + 1 + strlen(root) + 3, "%8s", links[0]), 1);
	snprintf(
		wanted, sizeof(wanted),
		"lowerdir=%s/l/%s:%s/l/%s:%s/l/bottom,upperdir=%s/containers/c1/upper,workdir=%s/containers/c1/work,volatile",
		root, links[1], root, links[0], root, root, root);
	assert_string_equal(text, wanted);
	snprintf(wanted, sizeof(wanted), "l/%s/b", links[1]);
	assert_true(exists(root, wanted));
	/* The container's "/" is upper's own folder. */
	assert_int_equal(fstatat(store_fd(store), "containers/c1/upper", &st, 0), 0);
	assert_true((st.st_mode & 07777) == 0710 && st.st_uid == 5);
}

/* As store.h tells mounters to do: where it is too long, from ROOT/l. */
static int mount_options(const char *text, const char *target)
{
	_cleanup_strbuf_ struct strbuf shorter = { 0 };
	char links[300];
	size_t len;

	len = (size_t)snprintf(links, sizeof(links), "%s/l/", root);
	if (strlen(text) <= 4095)
		return mount("overlay", target, "overlay", 0, text);
	for (const char *p = text, *next; *p; p = next) {
		const char *found = strstr(p, links);

		next = found ? found + len : p + strlen(p);
		strbuf_add(&shorter, p, (size_t)((found ? found : next) - p));
	}
	if (chdir(links) < 0 || shorter.len > 4095)
		return -1;
	return mount("overlay", target, "overlay", 0, shorter.data);
}

/* Mounts and looks, in a mount namespace that goes with the child. 0 or a step's number. */
static int mount_and_look(const char *text, int files, bool has_bottom)
{
	struct err err = { 0 };
	char target[300], name[320];

	snprintf(target, sizeof(target), "%s/containers/c1/rootfs", root);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	if (mount_options(text, target) < 0) {
		perror("mount");
		return errno == ENODEV ? 77 : 2;
	}
	for (int i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		if (!exists(target, name))
			return 4;
	}
	if (exists(target, "gone"))
		return 5;
	if (exists(target, "etc/hosts") != has_bottom)
		return 8;
	snprintf(name, sizeof(name), "%s/new", target);
	if (file_replace(AT_FDCWD, name, "x", 1, 0600, false, &err) < 0)
		return 6;
	return exists(root, "containers/c1/upper/new") ? 0 : 7;
}

static void assert_mounts(const char *text, int files, bool has_bottom)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(mount_and_look(text, files, has_bottom));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("no overlay may be mounted here");
	assert_int_equal(status, 0);
}

static void make_layers(int count)
{
	layout_start(&layout);
	for (int i = 0; i < count; i++) {
		struct tar tar = tar_start("pax", NULL);
		char name[32];

		snprintf(name, sizeof(name), "file%d", i);
		tar_add(&tar, &(struct tar_entry){ name, .data = name });
		if (i == 0)
			tar_add(&tar, &(struct tar_entry){ "gone", .data = "x" });
		if (i == 1)
			tar_add(&tar, &(struct tar_entry){ ".wh.gone" });
		layout_layer(&layout, tar_end(&tar), LAYER_TAR, NULL);
	}
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
}

static void an_overlay_is_mounted(void **state)
{
	size_t layers;

	(void)state;
	make_layers(3);
	assert_mounts(options_of("x:1", false, &layers), 3, true);
}

static void usual_images_fit_one_page(void **state)
{
	size_t layers;

	(void)state;
	make_layers(60);
	assert_true(strlen(options_of("x:1", true, &layers)) <= 4095);
}

static void many_layers_in_a_long_path_are_mounted(void **state)
{
	const char *text;
	size_t layers;
	char deep[130];

	assert_int_equal(teardown(state), 0);
	memset(deep, 'r', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	setup_at(deep);
	make_layers(128);
	text = options_of("x:1", true, &layers);
	assert_true(strlen(text) > 3 * 4096);
	assert_mounts(text, 128, true);
}

static void an_opaque_root_hides_the_layers_below(void **state)
{
	const char *text;
	size_t layers;

	(void)state;
	layout_start(&layout);
	layout_layer(&layout, TAR({ "gone" }), LAYER_TAR, NULL);
	layout_layer(&layout, TAR({ ".wh..wh..opq" }, { "file0" }), LAYER_TAR, NULL);
	layout_image(&layout, "localhost/x:1");
	layout_end(&layout);
	text = options_of("x:1", false, &layers);
	assert_null(strchr(text, ':'));
	assert_mounts(text, 1, false);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(options_name_short_links_topmost_first),
		TEST(an_overlay_is_mounted),
		TEST(usual_images_fit_one_page),
		TEST(many_layers_in_a_long_path_are_mounted),
		TEST(an_opaque_root_hides_the_layers_below),
	};

	if (geteuid() != 0) {
		puts("overlays need root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
