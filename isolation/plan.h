/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of a container or of a process in one: config.json turned by pure code into the finished
 * binary program that cellar-init carries out. Everything slow or dangerous (parsing, look-ups by
 * name, compiling seccomp) is over when a plan exists; it can be printed, compared and fuzzed
 * without root.
 *
 * The bytes of a plan are shared with cellar-init by isolation/init/plan_format.h: flat, no
 * pointers, offsets checked by the reader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "spec/oci_config.h"

struct plan;

/* A cgroup folder to show in the container at /sys/fs/cgroup; plain data of cgroups/cgroup.h. */
struct plan_cgroup {
	const char *name;	/* "memory", "cpu,cpuacct", ...; "" or "unified" for cgroup2 */
	const char *mountpoint; /* on the host, "/sys/fs/cgroup/memory" */
	const char *folder;	/* on the host, the container's own folder */
	bool v2;
};

struct plan_options {
	const char *rootfs; /* absolute path on the host of root.path */
	const char *bundle; /* absolute; relative bind sources start here */
	const struct plan_cgroup *cgroups;
	size_t cgroups_count;
	bool no_pivot;
	bool no_new_keyring;
	bool rootless;	       /* the caller is not root: it has no privileges at all */
	bool in_userns;	       /* nor has it any over the host: it is in a user namespace */
	bool no_tty_group;     /* nor has that the group 5, which a devpts is given to */
	bool waits;	       /* created now, started by somebody later */
	unsigned preserve_fds; /* fds 3..3+n-1 stay open in the container's process */
	unsigned listen_fds;   /* LISTEN_FDS and LISTEN_PID of the program; 0: not set */
	const char *id;	       /* of the container */
};

/*
 * The annotation "io.cellar.seccomp": "default" stands for the profile compiled at build time
 * (isolation/seccomp.h), where config.json has no linux.seccomp.
 */

/* The plan of a new container: namespaces, mounts, devices, identity, process. */
int plan_build(const struct oci_config *config, const struct plan_options *options,
	       struct plan **ret, struct err *err);

/* The plan of one more process in a running container (namespaces come from its init's pidfd). */
int plan_build_exec(const struct oci_config *config, const struct oci_process *process,
		    const struct plan_options *options, struct plan **ret, struct err *err);

struct plan *plan_free(struct plan *plan);

/* One line a step, for tests and `--debug`; owned by the caller, NULL when out of memory. */
char *plan_print(const struct plan *plan);

CLEANUP_DEFINE(struct plan, plan, plan_free);
#define _cleanup_plan_ _cleanup_(cleanup_plan)
