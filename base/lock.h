/* SPDX-License-Identifier: Apache-2.0 */
/* Locks between processes: flock(2) on a file, gone with the process that holds it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * Opens (creating it with mode 0600) and locks a file; waits for its turn unless nowait, when a
 * held lock gives -EWOULDBLOCK. Returns an fd: close it to unlock. Never unlink a lock file that
 * others may wait for.
 */
int lock_file(int dirfd, const char *path, bool shared, bool nowait, struct err *err);
