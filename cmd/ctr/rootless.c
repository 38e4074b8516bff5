/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A process may make itself a user namespace, but newuidmap has to be called
 * from outside of it; so a child stays behind, waits until the namespace is there, has the ids
 * mapped and ends. From then on we are root, of that namespace only, and nothing else in ctr has to
 * know more than base/userns.h tells. Each ctr has a namespace of its own: the maps are the same,
 * so files, sockets and signals meet; what a shim has mounted stays with the shim.
 */
#include "cmd/ctr/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "isolation/newidmap.h"

#define RANGES_MAX 16

/* The caller's own id as root, behind it what the files give him. */
struct maps {
	struct oci_id_map users[1 + RANGES_MAX], groups[1 + RANGES_MAX];
	size_t users_count, groups_count;
	uid_t uid;
	gid_t gid;
};

static void find_maps(struct maps *ret)
{
	*ret = (struct maps){ .uid = geteuid(), .gid = getegid() };
	ret->users[0] = (struct oci_id_map){ .host_id = ret->uid, .size = 1 };
	ret->groups[0] = (struct oci_id_map){ .host_id = ret->gid, .size = 1 };
	ret->users_count = newidmap_ranges(NEWIDMAP_USERS, ret->users + 1, RANGES_MAX);
	ret->groups_count = newidmap_ranges(NEWIDMAP_GROUPS, ret->groups + 1, RANGES_MAX);
	if (ret->users_count == 0 || ret->groups_count == 0)
		ret->users_count = ret->groups_count = 0;
	else
		ret->users_count++, ret->groups_count++;
}

/* The child: waits to be told that the namespace is there, and answers with a struct err. */
static _Noreturn void map_from_outside(const struct maps *maps, pid_t pid, int fd)
{
	struct err err = { 0 };
	char go;

	if (read(fd, &go, 1) != 1)
		_exit(1);
	if (newidmap_write(NEWIDMAP_GROUPS, pid, maps->groups, maps->groups_count, &err) == 0)
		newidmap_write(NEWIDMAP_USERS, pid, maps->users, maps->users_count, &err);
	_exit(fd_write_all(fd, &err, sizeof(err)) < 0 ? 1 : 0);
}

static int wait_for_maps(int fd, struct err *err)
{
	struct err theirs;

	if (fd_write_all(fd, "", 1) < 0 || fd_read_exact(fd, &theirs, sizeof(theirs)) < 0)
		return err_say(err, EIO, "who was to map the ids has ended");
	return theirs.code ? err_say(err, theirs.code, "%s", theirs.text) : 0;
}

static int map_self(const struct maps *maps, struct err *err)
{
	char text[32];

	log_warn(
		"there are no ids for user %u in /etc/subuid and /etc/subgid, or no newuidmap (package "
		"uidmap): containers have root only, and images with files of others cannot be "
		"unpacked",
		maps->uid);
	err_try(file_write(AT_FDCWD, "/proc/self/setgroups", "deny", err));
	snprintf(text, sizeof(text), "0 %u 1", maps->uid);
	err_try(file_write(AT_FDCWD, "/proc/self/uid_map", text, err));
	snprintf(text, sizeof(text), "0 %u 1", maps->gid);
	return file_write(AT_FDCWD, "/proc/self/gid_map", text, err);
}

static int make_namespaces(struct err *err)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
		return 0;
	if (errno == EPERM)
		return err_say(
			err, EPERM,
			"ctr needs root, or user namespaces, which this host keeps from normal "
			"users (sysctl kernel.unprivileged_userns_clone, "
			"kernel.apparmor_restrict_unprivileged_userns)");
	return err_set(err, errno, "make a user namespace");
}

static int enter(const struct maps *maps, struct err *err)
{
	_cleanup_fd_ int ours = -1, theirs = -1;
	pid_t self = getpid(), child;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	child = fork();
	if (child < 0)
		return err_set(err, errno, "start a process to map ids");
	if (child == 0) {
		close(take_fd(&ours));
		map_from_outside(maps, self, theirs);
	}
	close(take_fd(&theirs));
	r = make_namespaces(err);
	if (r == 0)
		r = wait_for_maps(ours, err);
	close(take_fd(&ours));
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* The value of a variable that has to be an absolute path, or NULL. */
static const char *folder_of(const char *variable)
{
	const char *path = getenv(variable);

	return path && path[0] == '/' ? path : NULL;
}

static int set_root(struct ctr *ctr, struct err *err)
{
	static char root[PATH_MAX];
	const char *data = folder_of("XDG_DATA_HOME"), *home = folder_of("HOME");

	if (ctr->root)
		return 0;
	if (!data && !home)
		return err_say(
			err, ENOENT,
			"no folder for images and containers: HOME is not set; set it, or give "
			"--root");
	err_try(path_join(root, sizeof(root), data ? data : home,
			  data ? "cellar" : ".local/share/cellar", err));
	ctr->root = root;
	return dir_create(AT_FDCWD, root, 0700, err);
}

static int set_runroot(struct ctr *ctr, uid_t uid, struct err *err)
{
	static char runroot[PATH_MAX];
	const char *run = folder_of("XDG_RUNTIME_DIR");
	char usual[32];
	struct stat st;

	if (ctr->runroot)
		return 0;
	snprintf(usual, sizeof(usual), "/run/user/%u", uid);
	if (!run && (stat(usual, &st) < 0 || st.st_uid != uid))
		return err_say(
			err, ENOENT,
			"no folder for what runs: XDG_RUNTIME_DIR is not set, and there is no %s; "
			"set it to a folder of yours, or give --runroot",
			usual);
	err_try(path_join(runroot, sizeof(runroot), run ? run : usual, "cellar", err));
	ctr->runroot = runroot;
	/* The sticky bit keeps it from those who clean up there (XDG Base Directory). */
	if (mkdir(runroot, 0700) == 0)
		(void)!chmod(runroot, 01700);
	return 0;
}

int rootless_enter(struct ctr *ctr, struct err *err)
{
	struct maps maps;

	find_maps(&maps);
	err_try(set_root(ctr, err));
	err_try(set_runroot(ctr, maps.uid, err));
	if (maps.users_count > 0)
		return enter(&maps, err);
	err_try(make_namespaces(err));
	return map_self(&maps, err);
}
