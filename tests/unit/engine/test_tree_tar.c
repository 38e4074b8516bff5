/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as a tar: which entries of which type, in pairs of the name that a reader would see. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "runtime/engine/tree_tar.h"

#define BLOCK 512
#define LINKED 200

static char dir[64];
static struct err err;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/cellar-tar-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, dir, NULL);
}

static void make(const char *name, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_return_code(file_replace(AT_FDCWD, path, text, strlen(text), 0640, false, &err), 0);
}

static void link_to(const char *old, const char *new)
{
	char from[400], to[400];

	snprintf(from, sizeof(from), "%s/%s", dir, old);
	snprintf(to, sizeof(to), "%s/%s", dir, new);
	assert_return_code(link(from, to), errno);
}

/* The tar, mapped. */
static const char *write_tar(size_t *ret_len)
{
	int out = memfd_create("tar", MFD_CLOEXEC), source = dir_open(AT_FDCWD, dir, &err);
	struct tree_tar_options o = { .out_fd = out };
	struct stat st;
	char *map;

	assert_true(source >= 0 && out >= 0);
	if (tree_tar_write(&o, source, "", &err) < 0)
		fail_msg("%s", err.text);
	assert_return_code(fstat(out, &st), errno);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, out, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	*ret_len = (size_t)st.st_size;
	close(source);
	close(out);
	return map;
}

/* The header of the next entry, NULL at the end. */
static const char *next(const char *tar, size_t *at)
{
	const char *h = tar + *at;
	size_t size = strtoul(h + 124, NULL, 8);

	if (!*h)
		return NULL;
	assert_memory_equal(h + 257, "ustar", 6);
	*at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
	return h;
}

static void second_names_are_links_to_the_first(void **state)
{
	size_t len, at = 0, files = 0, links = 0;
	const char *tar, *h;
	char name[32], other[32];

	(void)state;
	for (int i = 0; i < LINKED; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		snprintf(other, sizeof(other), "b%d", i);
		make(name, name);
		link_to(name, other);
	}
	tar = write_tar(&len);
	while ((h = next(tar, &at))) {
		files += h[156] == '0';
		links += h[156] == '1';
		/* Whichever came first: the same file by its other name. */
		if (h[156] == '1')
			assert_true(h[157] != h[0] && !strcmp(h + 158, h + 1));
	}
	assert_int_equal(files, LINKED);
	assert_int_equal(links, LINKED);
	assert_int_equal(len, at + 2 * BLOCK);
	munmap((void *)(uintptr_t)tar, len);
}

static void long_name_is_told_before(void **state)
{
	size_t len, at = 0;
	const char *tar, *h;
	char name[151];

	(void)state;
	memset(name, 'n', 150);
	name[150] = '\0';
	make(name, "text");
	tar = write_tar(&len);
	h = next(tar, &at);
	assert_int_equal(h[156], '5');
	h = next(tar, &at);
	assert_int_equal(h[156], 'x');
	assert_memory_equal(h + BLOCK, "160 path=nnn", 12);
	h = next(tar, &at);
	assert_int_equal(h[156], '0');
	assert_memory_equal(h + BLOCK, "text\0", 5);
	assert_null(next(tar, &at));
	munmap((void *)(uintptr_t)tar, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(second_names_are_links_to_the_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(long_name_is_told_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
