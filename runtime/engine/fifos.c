/* SPDX-License-Identifier: Apache-2.0 */
/* FIFOs: our ends never wait. */
#include "runtime/engine/fifos.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/engine/layout.h"

static const char *const suffixes[] = { "in", "out", "err" };

static int make_one(const struct fifos_options *o, size_t which, char **ret_path, int *ret_fd,
		    struct err *err)
{
	/* stdin for both ways: opening for writing alone fails before there is a reader. */
	int flags = which == 0 ? O_RDWR : O_RDONLY, fd;
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" LAYOUT_IO "/%s/%s.%s", o->runroot, o->id, o->name,
		     suffixes[which]) < 0)
		return err_set(err, ENOMEM, "make FIFO");
	if (mkfifo(path, 0600) < 0)
		return err_set(err, errno, "make FIFO %s", path);
	fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		int code = errno;

		unlink(path);
		return err_set(err, code, "open FIFO %s", path);
	}
	*ret_path = take_ptr(path);
	*ret_fd = fd;
	return 0;
}

int fifos_make(const struct fifos_options *o, struct engine_stdio *ret, struct err *err)
{
	struct engine_stdio io = ENGINE_STDIO_NONE;
	char folder[PATH_MAX];
	int r = layout_path(folder, o->runroot, LAYOUT_IO, o->id, err);

	if (r == 0)
		r = dir_create(AT_FDCWD, folder, 0700, err);
	if (r == 0 && o->want_stdin)
		r = make_one(o, 0, &io.stdin_path, &io.stdin_fd, err);
	if (r == 0 && o->want_stdout)
		r = make_one(o, 1, &io.stdout_path, &io.stdout_fd, err);
	if (r == 0 && o->want_stderr)
		r = make_one(o, 2, &io.stderr_path, &io.stderr_fd, err);
	if (r < 0) {
		engine_stdio_close(&io);
		return r;
	}
	*ret = io;
	return 0;
}

static void close_end(int *fd, char **path)
{
	if (*fd >= 0)
		close(take_fd(fd));
	if (*path)
		unlink(*path);
	free(take_ptr(*path));
}

void fifos_leave(struct engine_stdio *io)
{
	free(take_ptr(io->stdin_path));
	free(take_ptr(io->stdout_path));
	free(take_ptr(io->stderr_path));
	engine_stdio_close(io);
}

void engine_stdio_close(struct engine_stdio *io)
{
	close_end(&io->stdin_fd, &io->stdin_path);
	close_end(&io->stdout_fd, &io->stdout_path);
	close_end(&io->stderr_fd, &io->stderr_path);
}
