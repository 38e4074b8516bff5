/* SPDX-License-Identifier: Apache-2.0 */
/* The options that `create` and `run` share. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cellar/notify.h"
#include "cmd/cellar/rootless.h"
#include "cmd/cellar/verbs.h"
#include "runtime/container.h"

struct create_options {
	const char *bundle, *console_socket, *pid_file, *pidfd_socket;
	bool no_pivot, no_new_keyring;
	int64_t preserve_fds;
};

#define PRESERVE_FDS_MAX 1024

/* clang-format off */
/* in: where in type the struct lies, "" or "create." */
#define CREATE_OPTIONS(type, in) \
	OPTION_STRING(type, in bundle, 'b', "bundle", "DIR", \
		      "folder with config.json (default: the current one)"), \
	OPTION_STRING(type, in console_socket, 0, "console-socket", "SOCKET", \
		      "AF_UNIX socket that gets the terminal's master"), \
	OPTION_STRING(type, in pid_file, 0, "pid-file", "FILE", "write the container's pid to a file"), \
	OPTION_STRING(type, in pidfd_socket, 0, "pidfd-socket", "SOCKET", \
		      "AF_UNIX socket that gets a pidfd of the process"), \
	OPTION_BOOL(type, in no_pivot, 0, "no-pivot", \
		    "enter the root by chroot, for a host on an initial ramdisk"), \
	OPTION_BOOL(type, in no_new_keyring, 0, "no-new-keyring", "keep the caller's session keyring"), \
	OPTION_INT(type, in preserve_fds, 0, "preserve-fds", 0, PRESERVE_FDS_MAX, "N", \
		   "keep N descriptors open, from 3 on")
/* clang-format on */

/* The sockets that systemd gave us (sd_listen_fds(3)); 0 when they are not meant for us. */
static inline unsigned create_options_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long count = fds ? strtol(fds, NULL, 10) : 0;

	if (count <= 0 || count > PRESERVE_FDS_MAX || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return (unsigned)count;
}

/* Descriptors that are promised to the container have to be there. */
static inline int create_options_check_fds(int64_t count, struct err *err)
{
	for (int fd = 3; fd < 3 + count; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(err, errno, "unable to stat preserved-fd %d (of %d)", fd - 2,
				       (int)count);
	return 0;
}

static inline int create_options_fill(const struct create_options *o,
				      const struct cellar_globals *globals, const char *id,
				      struct container_create_options *ret, struct err *err)
{
	const char *manager = globals->cgroup_manager;
	unsigned listen_fds = create_options_listen_fds();

	enum container_cgroups cgroups;

	if (globals->systemd_cgroup || (manager && strcmp(manager, "systemd") == 0))
		cgroups = CONTAINER_SYSTEMD;
	else if (!manager || strcmp(manager, "cgroupfs") == 0)
		cgroups = CONTAINER_CGROUPFS;
	else if (strcmp(manager, "disabled") == 0)
		cgroups = CONTAINER_NO_CGROUP;
	else
		return err_say(err, EINVAL,
			       "--cgroup-manager: '%s' is none of cgroupfs, systemd, disabled",
			       manager);
	err_try(create_options_check_fds(o->preserve_fds + listen_fds, err));
	*ret = (struct container_create_options){
		.root = globals->root,
		.id = id,
		.bundle = o->bundle,
		.console_socket = o->console_socket,
		.pid_file = o->pid_file,
		.pidfd_socket = o->pidfd_socket,
		.preserve_fds = (unsigned)o->preserve_fds + listen_fds,
		.listen_fds = listen_fds,
		.cgroups = cgroups,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.notify = notify_is_wanted(),
		.rootless = rootless_mode(globals),
	};
	return 0;
}
