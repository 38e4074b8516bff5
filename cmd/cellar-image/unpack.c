/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-image unpack: a tar on stdin into an empty folder, for `ctr cp -`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/cellar-image/verbs.h"
#include "storage/unpack.h"

#define BUFFER (256 << 10)

/* It is looked at twice, which a pipe does not allow. */
static int keep_stdin(const char *folder, struct err *err)
{
	_cleanup_fd_ int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	_cleanup_free_ char *data = malloc(BUFFER);
	ssize_t n = 1;
	int r = 0;

	if (fd < 0 || !data)
		return err_set(err, fd < 0 ? errno : ENOMEM, "make a file in %s", folder);
	while (r == 0 && n > 0) {
		n = read(STDIN_FILENO, data, BUFFER);
		r = n < 0 ? -errno : fd_write_all(fd, data, (size_t)n);
	}
	return r < 0 ? err_set(err, -r, "keep stdin in %s", folder) : take_fd(&fd);
}

static int unpack(const char *root, const char *folder, struct err *err)
{
	const struct unpack_options options = { .root = root, .plain = true };
	_cleanup_fd_ int fd = dir_open(AT_FDCWD, folder, err), tar = -1;
	char diff_id[DIGEST_TEXT_SIZE];

	if (fd < 0)
		return fd;
	tar = keep_stdin(folder, err);
	return tar < 0 ? tar : unpack_layer(tar, fd, &options, diff_id, err);
}

int verb_unpack(const char *root, int argc, char **argv)
{
	struct err err = { 0 };

	if (argc != 2) {
		fprintf(stderr, "%s unpack: needs one folder\n", verbs_prefix());
		return 1;
	}
	if (unpack(root, argv[1], &err) < 0) {
		fprintf(stderr, "%s unpack: %s\n", verbs_prefix(), err.text);
		return 1;
	}
	return 0;
}
