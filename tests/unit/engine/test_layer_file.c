/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/skip.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/engine/layer_file.h"

struct fixture {
	char dir[64];
	char paths[3][80];
	const char *folders[3];
	int fd;
};

static int set_up(void **state)
{
	static struct fixture f;

	strcpy(f.dir, "/tmp/test-layer-file-XXXXXX");
	if (!mkdtemp(f.dir))
		return -1;
	f.fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		snprintf(f.paths[i], sizeof(f.paths[i]), "%s/%d", f.dir, i);
		f.folders[i] = f.paths[i];
		mkdir(f.paths[i], 0755);
	}
	*state = &f;
	return f.fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	return tree_remove(AT_FDCWD, f->dir, NULL);
}

static void put(struct fixture *f, const char *path, const char *text)
{
	char folder[128];

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(dir_create(f->fd, folder, 0755, NULL), 0);
	assert_int_equal(file_replace(f->fd, path, text, strlen(text), 0644, false, NULL), 0);
}

static void reads(struct fixture *f, const char *path, const char *want)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(layer_file_read(f->folders, 3, path, 100, &text, NULL), 0);
	assert_string_equal(text, want);
}

static void lacks(struct fixture *f, const char *path)
{
	char *text = NULL;

	assert_int_equal(layer_file_read(f->folders, 3, path, 100, &text, NULL), -ENOENT);
	assert_null(text);
}

static void topmost_layer_wins(void **state)
{
	struct fixture *f = *state;

	put(f, "0/etc/passwd", "low");
	reads(f, "/etc/passwd", "low");
	put(f, "2/etc/passwd", "high");
	reads(f, "etc/passwd", "high");
	lacks(f, "/etc/group");
	lacks(f, "/etc");
	lacks(f, "/etc/passwd/x");
}

static void whiteouts_hide(void **state)
{
	struct fixture *f = *state;
	char path[128];

	put(f, "0/etc/passwd", "low");
	put(f, "0/etc/group", "low");
	snprintf(path, sizeof(path), "%s/1/etc", f->dir);
	mkdir(path, 0755);
	strcat(path, "/passwd");
	if (mknod(path, S_IFCHR, makedev(0, 0)) < 0)
		skip_because("may not make device files");
	lacks(f, "/etc/passwd");
	reads(f, "/etc/group", "low");
	put(f, "2/etc/passwd", "new");
	reads(f, "/etc/passwd", "new");
}

static void opaque_folder_hides_what_is_below(void **state)
{
	struct fixture *f = *state;
	char path[128];

	put(f, "0/etc/passwd", "low");
	snprintf(path, sizeof(path), "%s/1/etc", f->dir);
	mkdir(path, 0755);
	if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0)
		skip_because("may not set trusted attributes");
	lacks(f, "/etc/passwd");
	put(f, "2/etc/group", "top");
	reads(f, "/etc/group", "top");
	lacks(f, "/etc/passwd");
}

static void file_hides_folder_below_and_folder_hides_file(void **state)
{
	struct fixture *f = *state;

	put(f, "0/a/b", "folder");
	put(f, "1/a", "file");
	reads(f, "/a", "file");
	lacks(f, "/a/b");
	put(f, "2/a/c", "again");
	reads(f, "/a/c", "again");
	lacks(f, "/a/b");
}

static void symlinks_stay_inside_and_cross_layers(void **state)
{
	struct fixture *f = *state;

	put(f, "0/usr/etc/passwd", "there");
	put(f, "1/x/y", "");
	assert_int_equal(symlinkat("../usr/etc", f->fd, "1/x/etc"), 0);
	assert_int_equal(symlinkat("/x/etc", f->fd, "2/etc"), 0);
	reads(f, "/etc/passwd", "there");
	reads(f, "/x/etc/../etc/passwd", "there");
	assert_int_equal(symlinkat("../../../../../../../../etc/hostname", f->fd, "2/out"), 0);
	lacks(f, "/out");
	assert_int_equal(symlinkat("loop", f->fd, "2/loop"), 0);
	lacks(f, "/loop");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(topmost_layer_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whiteouts_hide, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opaque_folder_hides_what_is_below, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(file_hides_folder_below_and_folder_hides_file,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(symlinks_stay_inside_and_cross_layers, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
