/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's state folder, ROOT/ID: mkdir(2) is what makes an id unique, flock(2) on the folder
 * itself tells a creator that lives from one that died.
 *
 * Locks
 *	creator		exclusive, from mkdir until the container is created
 *	start		exclusive, until the program is executing
 *	delete		exclusive, until the folder is gone
 *	state, list	none; they try it, to tell "creating" from "stopped"
 *
 * A locked folder may have been removed while one waited for it, so every locker looks at its link
 * count afterwards.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define FOLDER_FIFO "exec.fifo"
#define FOLDER_CONFIG                                                               \
	"config.json" /* as it was at create; later edits of the bundle don't count \
		       */

/* Empty; systemd was asked for a cgroup, and what it answered is not in the record yet. */
#define FOLDER_UNIT_ASKED "unit.asked"

/* Makes and locks ROOT/ID (and ROOT, mode 0711). Returns an fd that holds the lock; -EEXIST
 * "container with given ID already exists". */
int folder_create(const char *root, const char *id, struct err *err);

/* Opens without locking. -ENOENT "container does not exist". */
int folder_open(const char *root, const char *id, struct err *err);

/*
 * Locks an open folder, waiting at most 10 s (flock has no time limit, so it polls). -ENOENT when
 * the folder has been removed, -EBUSY when somebody keeps it.
 */
int folder_lock(int dirfd, struct err *err);
void folder_unlock(int dirfd);

/* Somebody else holds the lock. */
bool folder_is_busy(int dirfd);

/* Removes the folder and what is in it. dirfd is the locked folder. */
int folder_remove(const char *root, const char *id, int dirfd, struct err *err);
