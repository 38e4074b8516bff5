/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that a container gets or loses while it runs (crun's `mounts add` and `mounts remove`):
 * binds and tmpfs, made detached with the host's eyes and moved onto a target that is resolved
 * inside the container's root. config.json is not changed by it.
 *
 * A child does it (mount_child.h) that joins the container's mount namespace and no other: whoever
 * is inside cannot see it, signal it or trace it.
 */
#pragma once

#include "base/err.h"
#include "runtime/container.h"
#include "spec/oci_config.h"

/*
 * In their order; a target that is missing is made, relative sources are below the caller's folder.
 * What fails takes back nothing of what was mounted before it. -EOPNOTSUPP: another file system.
 */
int container_add_mounts(struct container *container, const struct oci_mount *mounts, size_t count,
			 struct err *err);

/* By their destinations alone, last first: what is on top there is detached. */
int container_remove_mounts(struct container *container, const struct oci_mount *mounts,
			    size_t count, struct err *err);
