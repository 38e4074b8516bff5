/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a container as it comes and goes. It is filled at CONTAINERS/.tmp/ID and renamed to
 * CONTAINERS/ID when meta.json is in it; it is renamed back before it is emptied. So a container
 * is there whole or not at all.
 *
 * Locks: who creates or removes holds flock(2), exclusive, on the folder itself, until done. A
 * folder in .tmp that nobody holds was left by a crash. A folder may be gone when its lock is had:
 * stage_lock() looks.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Opens ROOT/containers. -ENOENT (without sentence) when there is none and not make. */
int stage_open_containers(const char *root, bool make, struct err *err);

/* Makes and locks CONTAINERS/.tmp/ID. Returns an fd that holds the lock; -EAGAIN when a sweeper
 * was quicker, for another try with another id. */
int stage_begin(int containers_fd, const char *id, struct err *err);

int stage_publish(int containers_fd, const char *id, struct err *err);
int stage_withdraw(int containers_fd, const char *id, struct err *err); /* 0 also when it is */

/*
 * Opens and locks a container's folder (in .tmp when tmp), waiting wait_ms at most. Returns an fd,
 * -ENOENT when it is gone, -EBUSY when somebody keeps it.
 */
int stage_lock(int containers_fd, const char *id, bool tmp, int wait_ms, struct err *err);
