/* SPDX-License-Identifier: Apache-2.0 */
/* A store and a layout to import into it, for the tests of imports. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/import.h"
#include "tests/unit/storage/layout.h"

static char root[64];
static struct store *store;
static struct layout layout;

static inline int group_setup(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		puts("unpacking keeps owners and makes devices: it needs root");
		exit(77);
	}
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	memset(&layout, 0, sizeof(layout));
	strcpy(root, "/tmp/cellar-unit-import.XXXXXX");
	assert_non_null(mkdtemp(root));
	return store_open(root, &store, NULL);
}

static inline int teardown(void **state)
{
	(void)state;
	store = store_close(store);
	if (layout.dir[0])
		layout_remove(&layout);
	return tree_remove(AT_FDCWD, root, NULL);
}

static inline int import_path(const char *path, const char *name, struct err *err)
{
	struct import_options options = { .path = path, .name = name };
	struct err own = { 0 };
	int r = import_layout(store, &options, NULL, NULL, err ? err : &own);

	if (own.text[0])
		print_error("%s\n", own.text);
	return r;
}

static inline int import(struct err *err)
{
	return import_path(layout.dir, NULL, err);
}

static inline void assert_empty(void)
{
	assert_int_equal(count_entries(root, "content/sha256"), 0);
	assert_int_equal(count_entries(root, "content/tmp"), 0);
	assert_int_equal(count_entries(root, "layers"), 1);
	assert_int_equal(count_entries(root, "layers/tmp"), 0);
	assert_int_equal(count_entries(root, "images"), 0);
}

/* The layout must be refused with such a sentence, and leave no trace. */
static inline void assert_refused(int code, const char *sentence)
{
	struct err err = { 0 };
	int r = import(&err);

	if (r != -code || !strstr(err.text, sentence))
		fail_msg("wanted %d '%s', got %d '%s'", -code, sentence, r, err.text);
	assert_null(strchr(err.text, '\n'));
	assert_empty();
}

static inline void assert_found(const char *name, size_t layers)
{
	_cleanup_store_image_ struct store_image *image = NULL;
	struct err err = { 0 };

	if (store_image_find(store, name, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(image->name, name);
	assert_int_equal(image->layers_count, layers);
	assert_string_equal(image->config.cmd[0], "sh");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
