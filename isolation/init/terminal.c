/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal: a pair from the container's own devpts, the slave taken from the master itself
 * (TIOCGPTPEER) and never by a path that the container could have prepared.
 */
#include <errno.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "isolation/init/init.h"
#include "isolation/init/syscalls.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int open_master(struct init *in, struct err *err)
{
	static const char *const paths[] = { "/dev/pts/ptmx", "/dev/ptmx" };
	_cleanup_fd_ int fd = -1;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && fd < 0; i++)
		fd = sys_openat2(in->root_fd, paths[i], O_RDWR | O_NOCTTY, 0,
				 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return err_set(err, errno, "open a terminal at /dev/ptmx of the container");
	/* 5:2 is the multiplexer, whichever file system it lies in. */
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return err_say(err, ENODEV, "/dev/ptmx of the container makes no terminals");
	return take_fd(&fd);
}

static int open_slave(int master, struct err *err)
{
	int unlock = 0, fd;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, errno, "unlock the terminal");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the terminal") : fd;
}

static int set_size(struct init *in, int fd, struct err *err)
{
	struct winsize size = { .ws_row = (unsigned short)in->plan->console_height,
				.ws_col = (unsigned short)in->plan->console_width };

	if (size.ws_row == 0 && size.ws_col == 0)
		return 0;
	return ioctl(fd, TIOCSWINSZ, &size) < 0 ? err_set(err, errno, "size the terminal") : 0;
}

/* /dev/console is the container's terminal. */
static int bind_console(struct init *in, int slave, struct err *err)
{
	_cleanup_fd_ int tree = sys_open_tree(slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	_cleanup_fd_ int target = -1;

	if (tree < 0)
		return err_set(err, errno, "bind the terminal at /dev/console");
	target = target_make(in->root_fd, "/dev/console", false, err);
	if (target < 0)
		return target;
	if (fd_is_procfs(target))
		return err_say(err, EPERM, "/dev/console of the container leads into /proc");
	if (sys_move_mount(tree, target) < 0)
		return err_set(err, errno, "bind the terminal at /dev/console");
	return 0;
}

int terminal_open(struct init *in, struct err *err)
{
	_cleanup_fd_ int master = -1, slave = -1;

	if (!(in->plan->flags & PLAN_TERMINAL))
		return 0;
	master = open_master(in, err);
	if (master < 0)
		return master;
	slave = open_slave(master, err);
	if (slave < 0)
		return slave;
	if (set_size(in, slave, err) < 0)
		return -err->code;
	if (in->plan->flags & PLAN_FILE_SYSTEM && bind_console(in, slave, err) < 0)
		return -err->code;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return err_set(err, errno, "take the terminal as stdio");
	in->console_fd = take_fd(&master);
	return in->plan->flags & PLAN_EXEC ? 0 : terminal_control(in, err);
}

int terminal_control(struct init *in, struct err *err)
{
	if (in->plan->flags & PLAN_TERMINAL && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_set(err, errno, "take the terminal as controlling terminal");
	return 0;
}
