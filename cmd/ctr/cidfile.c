/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/cidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define TMP_SIZE 4096

static int exists(const char *path, struct err *err)
{
	return err_say(err, EEXIST,
		       "--cidfile: %s is there already, perhaps of another container; remove it, "
		       "or name another",
		       path);
}

int cidfile_check(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return exists(path, err);
	return errno == ENOENT ? 0 : err_set(err, errno, "--cidfile: find %s", path);
}

int cidfile_write(const char *path, const char *id, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	char tmp[TMP_SIZE];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.%d", path, getpid()) >= (int)sizeof(tmp))
		return err_set(err, ENAMETOOLONG, "--cidfile: create %s", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, errno, "--cidfile: create %s", path);
	r = fd_write_all(fd, id, strlen(id));
	if (r == 0 && renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (r == 0)
		r = -errno;
	unlink(tmp);
	return r == -EEXIST ? exists(path, err) : err_set(err, -r, "--cidfile: write %s", path);
}
