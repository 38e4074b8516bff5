/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/engine/layout.h"

int pins_path(const char *runroot, const char *id, const char *name, char ret[static PATH_MAX],
	      struct err *err)
{
	if (snprintf(ret, PATH_MAX, "%s/" LAYOUT_PINS "/%s/%s", runroot, id, name) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "path of %s below %s", name, runroot);
	return 0;
}

int pins_make(const char *runroot, const char *id, const char *name, bool folder,
	      char ret[static PATH_MAX], struct err *err)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_MAX];

	err_try(pins_path(runroot, id, "", path, err));
	err_try(dir_create(AT_FDCWD, path, 0700, err));
	err_try(pins_path(runroot, id, name, path, err));
	if (folder) {
		if (mkdir(path, 0700) < 0)
			return err_set(err, errno, "create folder %s", path);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
		if (fd < 0)
			return err_set(err, errno, "create %s", path);
	}
	return pins_path(runroot, id, name, ret, err);
}

int pins_bind(const char *runroot, const char *id, const char *name, int fd,
	      char ret[static PATH_MAX], struct err *err)
{
	char source[PATH_FD_SIZE];

	err_try(pins_make(runroot, id, name, false, ret, err));
	if (mount(path_of_fd(fd, source), ret, NULL, MS_BIND, NULL) < 0)
		return err_set(err, errno, "mount a namespace on %s", ret);
	return 0;
}

static int remove_one(int dirfd, const char *dir, const char *name, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "remove %s", name);
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return err_set(err, errno, "unmount %s", path);
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR || unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		return err_set(err, errno, "remove %s", path);
	return 0;
}

int pins_remove(const char *runroot, const char *id, struct err *err)
{
	_cleanup_dir_ DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *e;
	int r = layout_path(path, runroot, LAYOUT_PINS, id, err);

	if (r < 0)
		return r;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : err_set(err, errno, "open folder %s", path);
	while (r == 0 && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			r = remove_one(dirfd(dir), path, e->d_name, err);
	if (r == 0 && rmdir(path) < 0 && errno != ENOENT)
		r = err_set(err, errno, "remove folder %s", path);
	return r;
}
