/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's mounts allow a container's: whether they pass mounts on. */
#pragma once

#include "base/err.h"

/*
 * Whether a bind of path may have the propagation ("rshared", ...): the mount that path lies on has
 * to be shared, or for a slave at least a slave itself; else nothing would come or go, silently.
 * -EINVAL with the sentence.
 */
int host_mount_check(const char *path, const char *propagation, struct err *err);
