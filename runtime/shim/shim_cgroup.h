/* SPDX-License-Identifier: Apache-2.0 */
/* containerd's option shim_cgroup: the shim's own cgroup, which an operator has made. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Into the folder of that path in each hierarchy that has one. -ENOENT: none has. */
int shim_cgroup_move(const char *path, pid_t pid, struct err *err);
