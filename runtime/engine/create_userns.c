/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user namespace of a container's own: its ids 0 to 65535 are a range of the host's that no other
 * container has. Everything that comes from outside is shown to it with its own ids:
 *
 * - layers, which stay on disk as they are, by id-mapped mounts in the container's pins, of which
 *   the overlay is made; what it writes lies in upper/ with the host's ids of the range, which ends
 *   with the container;
 * - volumes, by id-mapped mounts too, so their files keep the container's ids on disk;
 * - its hosts file and the like, which are made root's of the range.
 *
 * The namespace is made by a child that waits for its maps and is gone as soon as the namespace is
 * mounted; a network namespace is made together with it, for only then may the container's root
 * rule there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/id_ranges.h"
#include "runtime/engine/pins.h"
#include "runtime/engine/userns_fd.h"

#define SUBIDS_LIMIT (1 << 20)

/* ---- the namespace ---- */

/* With all capabilities over its namespaces from the moment it has maps. */
static void run_child(pid_t parent, int turn_fd, int ready_fd)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	char go;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* The parent of another pid namespace would be 0; ours is the same one. */
	if (getppid() != parent || read(turn_fd, &go, 1) != 1)
		_exit(1);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 || write(ready_fd, &go, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int open_of(pid_t pid, const char *type, struct err *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, type);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open %s", path) : fd;
}

static int mount_netns(struct creation *c, int fd, struct err *err)
{
	char dir[PATH_MAX], source[PATH_FD_SIZE];
	_cleanup_fd_ int place = -1;

	err_try(layout_path(dir, c->engine->runroot, LAYOUT_NETNS, NULL, err));
	err_try(dir_create(AT_FDCWD, dir, 0700, err));
	err_try(layout_path(dir, c->engine->runroot, LAYOUT_NETNS, c->id, err));
	place = open(dir, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (place < 0 || mount(path_of_fd(fd, source), dir, NULL, MS_BIND, NULL) < 0)
		return err_set(err, errno, "mount network namespace on %s", dir);
	return 0;
}

static int keep(struct creation *c, pid_t pid, struct err *err)
{
	_cleanup_fd_ int user = open_of(pid, "user", err), net = -1;
	char path[PATH_MAX];

	if (user < 0)
		return user;
	err_try(pins_bind(c->engine->runroot, c->id, "user", user, path, err));
	c->ns.user_path = arena_strdup(c->arena, path);
	if (!c->ns.user_path)
		return err_set(err, ENOMEM, "make a user namespace");
	if (c->options->network != ENGINE_NETWORK_BRIDGE)
		return 0;
	net = open_of(pid, "net", err);
	return net < 0 ? net : mount_netns(c, net, err);
}

static int make_namespace(struct creation *c, struct err *err)
{
	_cleanup_fd_ int pidfd = -1, turn_in = -1, turn_out = -1, ready_in = -1, ready_out = -1;
	pid_t parent = getpid(), pid;
	int turn[2], ready[2], status, r;
	char go = 1;

	if (pipe2(turn, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	turn_in = turn[0];
	turn_out = turn[1];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	ready_in = ready[0];
	ready_out = ready[1];
	pid = process_clone(CLONE_NEWUSER | CLONE_NEWNET, -1, &pidfd);
	if (pid == 0) {
		close(turn_out);
		close(ready_in);
		run_child(parent, turn_in, ready_out);
	}
	if (pid < 0)
		return err_set(err, -pid, "make a user namespace");
	close(take_fd(&ready_out));
	r = userns_write_maps(pid, c->ns.id_base, err);
	if (r == 0 && (write(turn_out, &go, 1) != 1 || read(ready_in, &go, 1) != 1))
		r = err_say(err, ECHILD, "the process that made a user namespace failed");
	if (r == 0)
		r = keep(c, pid, err);
	process_pidfd_signal(pidfd, SIGKILL);
	process_wait(pidfd, &status);
	return r;
}

static int take_range(struct creation *c, struct err *err)
{
	_cleanup_free_ char *subuid = NULL, *subgid = NULL;
	struct id_ranges ranges;

	/* Where there is no such file nothing is said. */
	file_read(AT_FDCWD, "/etc/subuid", SUBIDS_LIMIT, &subuid, NULL, NULL);
	file_read(AT_FDCWD, "/etc/subgid", SUBIDS_LIMIT, &subgid, NULL, NULL);
	err_try(id_ranges_parse(subuid, subgid, &ranges, err));
	return id_ranges_take(c->containers_fd, &ranges, c->id, &c->ns.id_base, err);
}

/* Older kernels refuse the overlay with no more than "Invalid argument". */
static int check_kernel(struct err *err)
{
	struct utsname name;
	int major = 0, minor = 0;

	if (uname(&name) < 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return 0;
	if (major > 5 || (major == 5 && minor >= 19))
		return 0;
	return err_say(
		err, EOPNOTSUPP,
		"needs overlays of id-mapped layers, which Linux has from 5.19 on; this is %s",
		name.release);
}

int creation_make_userns(struct creation *c, struct err *err)
{
	int r;

	if (!c->options->namespaces.user)
		return 0;
	r = check_kernel(err);
	/* Its files have these ids. */
	if (c->again)
		c->ns.id_base = c->meta.namespaces.id_base;
	else if (r == 0)
		r = take_range(c, err);
	c->meta.namespaces.id_base = c->ns.id_base;
	/* Whoever removes it has to know what to let go of. */
	if (r == 0)
		r = meta_save(c->fd, &c->meta, err);
	if (r == 0)
		r = make_namespace(c, err);
	return r < 0 ? err_add(err, "--userns auto") : 0;
}

/* ---- what comes from outside ---- */

int creation_own_files(struct creation *c, struct err *err)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };

	for (size_t i = 0; c->options->namespaces.user && i < ARRAY_SIZE(names); i++)
		if (fchownat(c->fd, names[i], c->ns.id_base, c->ns.id_base, AT_SYMLINK_NOFOLLOW) <
		    0)
			return err_set(err, errno, "give %s to the container's root", names[i]);
	return 0;
}

/* The mount of a layer, with its ids mapped, at a place of ours. */
static int map_layer(struct creation *c, int userns_fd, const char *layer, size_t index,
		     char ret[static PATH_MAX], struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY,
				   .userns_fd = (uint64_t)userns_fd };
	_cleanup_fd_ int fd = -1;
	char name[32];

	snprintf(name, sizeof(name), "layer%zu", index);
	err_try(pins_make(c->engine->runroot, c->id, name, true, ret, err));
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, layer, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open layer %s", layer);
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_set(err, errno,
			       "map the ids of layer %s (its file system may not know how)", layer);
	if (syscall(SYS_move_mount, fd, "", AT_FDCWD, ret, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(err, errno, "mount layer %s at %s", layer, ret);
	return 0;
}

/* upper/ was made with the owner that the image's root folder has. */
static int own_upper(struct creation *c, struct err *err)
{
	struct stat st;

	if (fstatat(c->fd, "upper", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno, "read folder upper");
	if (st.st_uid >= ID_RANGE_SIZE || st.st_gid >= ID_RANGE_SIZE)
		return err_say(err, EOVERFLOW,
			       "the image's root folder is of user %u and group %u, and a user "
			       "namespace has %u of each",
			       st.st_uid, st.st_gid, ID_RANGE_SIZE);
	if (fchownat(c->fd, "upper", c->ns.id_base + st.st_uid, c->ns.id_base + st.st_gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(c->fd, "upper", st.st_mode & 07777, 0) < 0)
		return err_set(err, errno, "give folder upper to the container's root");
	return 0;
}

int creation_map_layers(struct creation *c, const char **options, struct err *err)
{
	static const char key[] = "lowerdir=";
	_cleanup_strbuf_ struct strbuf mapped = { 0 };
	_cleanup_fd_ int userns = -1;
	char *list, *save = NULL, path[PATH_MAX];
	const char *rest;
	size_t index = 0;

	if (!c->options->namespaces.user)
		return 0;
	userns = open(c->ns.user_path, O_RDONLY | O_CLOEXEC);
	if (userns < 0)
		return err_set(err, errno, "open %s", c->ns.user_path);
	rest = *options + strcspn(*options, ",");
	list = arena_strndup(c->arena, *options + strlen(key),
			     (size_t)(rest - *options) - strlen(key));
	if (!list)
		return err_set(err, ENOMEM, "map layers");
	for (char *layer = strtok_r(list, ":", &save); layer; layer = strtok_r(NULL, ":", &save)) {
		if (map_layer(c, userns, layer, index, path, err) < 0)
			return err_add(err, "--userns auto");
		strbuf_addf(&mapped, "%s%s", index++ ? ":" : key, path);
	}
	strbuf_adds(&mapped, rest);
	*options = strbuf_ok(&mapped) ? arena_strdup(c->arena, mapped.data) : NULL;
	if (!*options)
		return err_set(err, ENOMEM, "map layers");
	return c->again ? 0 : own_upper(c, err);
}
