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
#include "runtime/shim/fifo_sweep.h"

#define TRIES 100

static const char *const suffixes[] = { "in", "out", "err" };

/* The folder goes with its last FIFO: another command may remove it right now. */
static int mkfifo_in_folder(const char *path)
{
	_cleanup_free_ char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
	int r = mkfifo(path, 0600);

	for (int tries = 0; r < 0 && errno == ENOENT && folder && tries < TRIES; tries++) {
		if (dir_create(AT_FDCWD, folder, 0700, NULL) == 0)
			r = mkfifo(path, 0600);
		else
			errno = ENOENT;
	}
	return r;
}

/* It gets its name when we have it open: what has one and is not open was left by who died. */
static int make_one(const struct fifos_options *o, size_t which, char **ret_path, int *ret_fd,
		    struct err *err)
{
	/* stdin for both ways: opening for writing alone fails before there is a reader. */
	int flags = which == 0 ? O_RDWR : O_RDONLY, fd;
	_cleanup_free_ char *path = NULL, *hidden = NULL;

	if (asprintf(&path, "%s/" LAYOUT_IO "/%s/%s.%s", o->runroot, o->id, o->name,
		     suffixes[which]) < 0 ||
	    asprintf(&hidden, "%s/" LAYOUT_IO "/%s/" FIFO_SWEEP_HIDDEN "%s.%s", o->runroot, o->id,
		     o->name, suffixes[which]) < 0)
		return err_set(err, ENOMEM, "make FIFO");
	if (mkfifo_in_folder(hidden) < 0)
		return err_set(err, errno, "make FIFO %s", hidden);
	fd = open(hidden, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || rename(hidden, path) < 0) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		unlink(hidden);
		return err_set(err, code, "open FIFO %s", path);
	}
	*ret_path = take_ptr(path);
	*ret_fd = fd;
	return 0;
}

int fifos_make(const struct fifos_options *o, struct engine_stdio *ret, struct err *err)
{
	struct engine_stdio io = ENGINE_STDIO_NONE;
	int r = 0;

	/* stdin comes last and goes first: without an output it was left by who died. */
	if (o->want_stdout)
		r = make_one(o, 1, &io.stdout_path, &io.stdout_fd, err);
	if (r == 0 && o->want_stderr)
		r = make_one(o, 2, &io.stderr_path, &io.stderr_fd, err);
	if (r == 0 && o->want_stdin)
		r = make_one(o, 0, &io.stdin_path, &io.stdin_fd, err);
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
	const char *path = io->stdout_path ? io->stdout_path : io->stdin_path;
	_cleanup_free_ char *folder =
		path ? strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;

	close_end(&io->stdin_fd, &io->stdin_path);
	close_end(&io->stdout_fd, &io->stdout_path);
	close_end(&io->stderr_fd, &io->stderr_path);
	/* Unless another command has its own there. */
	if (folder)
		rmdir(folder);
}
