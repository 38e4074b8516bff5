/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/fifo_sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "runtime/shim/shim.h"

#define FIRST_NS INT64_C(100000000)
#define LOOKS 8		/* each after twice the time: 25 s in all */
#define HIDDEN_S_MAX 60 /* so long nobody takes to make one */

static bool has_suffix(const char *name, const char *suffix)
{
	const char *dot = strrchr(name, '.');

	return dot && !strcmp(dot, suffix);
}

static bool is_fifo(int dirfd, const char *name, struct stat *ret)
{
	return fstatat(dirfd, name, ret, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(ret->st_mode);
}

/* Of an output: its client is the only reader, from before it had this name. */
static bool is_read(int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 || errno != ENXIO;
}

/* Of stdin, which this process reads, too: its client has an output, which is made before it and
 * removed after it. */
static bool has_output(int dirfd, const char *name)
{
	char output[NAME_MAX + 8];
	int len = (int)(strrchr(name, '.') - name);

	snprintf(output, sizeof(output), "%.*s.out", len, name);
	return faccessat(dirfd, output, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && is_read(dirfd, output);
}

static bool is_dead(int dirfd, const char *name, const struct stat *st)
{
	if (!strncmp(name, FIFO_SWEEP_HIDDEN, strlen(FIFO_SWEEP_HIDDEN)))
		return time(NULL) - st->st_ctime > HIDDEN_S_MAX;
	if (has_suffix(name, ".in"))
		return !has_output(dirfd, name);
	return (has_suffix(name, ".out") || has_suffix(name, ".err")) && !is_read(dirfd, name);
}

/* Inputs first: whether theirs is dead is told by the output. */
static int sweep(int dirfd, bool inputs)
{
	_cleanup_fd_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int left = 0;

	if (dir)
		take_fd(&fd);
	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat st;

		if (!strncmp(name, FIFO_SWEEP_OWN, strlen(FIFO_SWEEP_OWN)) ||
		    has_suffix(name, ".in") != inputs || !is_fifo(dirfd, name, &st))
			continue;
		if (!is_dead(dirfd, name, &st) || unlinkat(dirfd, name, 0) < 0)
			left++;
	}
	return left;
}

int fifo_sweep_folder(const char *path)
{
	_cleanup_fd_ int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int left;

	if (dirfd < 0)
		return 0;
	left = sweep(dirfd, true) + sweep(dirfd, false);
	/* The next client makes it again. */
	if (!left)
		rmdir(path);
	return left;
}

static int on_time(void *data);

static void look_after(struct shim *shim, int64_t wait_ns)
{
	loop_add_time(shim->loop, clock_monotonic_ns() + wait_ns, on_time, shim, &shim->sweep,
		      NULL);
}

static int on_time(void *data)
{
	struct shim *shim = data;
	int left = 0;

	shim->sweep = NULL;
	shim_trim_soon(shim);
	for (const struct task *task = shim->tasks; task; task = task->next)
		if (task->io_dir)
			left += fifo_sweep_folder(task->io_dir);
	if (left && ++shim->sweep_looks < LOOKS)
		look_after(shim, FIRST_NS << shim->sweep_looks);
	return 0;
}

void fifo_sweep_soon(struct shim *shim)
{
	const struct task *task = shim->tasks;

	while (task && !task->io_dir)
		task = task->next;
	if (!task)
		return;
	shim->sweep_looks = 0;
	shim->sweep = loop_remove(shim->sweep);
	look_after(shim, FIRST_NS);
}
