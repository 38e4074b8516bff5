/* SPDX-License-Identifier: Apache-2.0 */
/* The options that `create` and `run` share. */
#pragma once

#include <errno.h>
#include <string.h>

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

static inline int create_options_fill(const struct create_options *o,
				      const struct cellar_globals *globals, const char *id,
				      struct container_create_options *ret, struct err *err)
{
	const char *manager = globals->cgroup_manager;

	if (globals->systemd_cgroup || (manager && strcmp(manager, "systemd") == 0))
		return err_say(err, ENOTSUP,
			       "cgroups made by systemd are not supported yet; leave out "
			       "--systemd-cgroup and use the cgroupfs driver");
	if (manager && strcmp(manager, "cgroupfs") != 0)
		return err_say(err, EINVAL, "--cgroup-manager: '%s' is not cgroupfs", manager);
	*ret = (struct container_create_options){
		.root = globals->root,
		.id = id,
		.bundle = o->bundle,
		.console_socket = o->console_socket,
		.pid_file = o->pid_file,
		.pidfd_socket = o->pidfd_socket,
		.preserve_fds = (unsigned)o->preserve_fds,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
	};
	return 0;
}
