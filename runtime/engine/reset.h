/* SPDX-License-Identifier: Apache-2.0 */
/* A container that does not run, brought back to what it was before its first run. */
#pragma once

#include "base/err.h"

/*
 * Removes what a run needs and what one that was killed may have left: processes, mounts, network
 * namespace, FIFOs, a dead shim's socket. What it wrote, its name, address and volumes stay. The
 * caller holds the lock on its folder, which is fd. -EBUSY when it runs.
 */
int engine_reset(const char *root, const char *runroot, const char *id, int containers_fd, int fd,
		 struct err *err);
