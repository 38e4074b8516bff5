/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that CRIU cannot make by itself, since what they show lies outside of the container:
 * binds, cgroups of v1, masks over files. It is told of each at the dump that it is external, and
 * at the restore what to bind there.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroups/cgroup.h"
#include "spec/oci_config.h"

struct criu_mount {
	const char *target; /* inside, without symlinks */
	const char *source; /* on the host; NULL of a dump's */
};

struct criu_mounts {
	struct criu_mount *list; /* in the arena */
	size_t count;
};

/* As they are, by /proc/PID/mountinfo. */
int criu_mounts_read(pid_t pid, const struct oci_config *config, const char *rootfs,
		     struct arena *arena, struct criu_mounts *ret, struct err *err);

/* As a container of that config has them (cgroup: NULL without); more than it has does not matter.
 */
int criu_mounts_plan(const struct oci_config *config, const char *bundle, const char *rootfs,
		     const struct cgroup *cgroup, struct arena *arena, struct criu_mounts *ret,
		     struct err *err);

/* Folders and files in the root file system for mounts, where there are none. */
int criu_mounts_make_targets(const struct oci_config *config, const char *bundle,
			     const char *rootfs, struct err *err);
