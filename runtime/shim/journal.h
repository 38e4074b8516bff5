/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shim keeps in the bundle of a container of ctr or the cell, so that another shim can go on
 * where it was killed, and so that others see what cannot be seen from outside:
 *
 *	shim.create	the Create request as it came, and which pipes the process has; once. The
 *			shim holds a lock (flock) on it while it lives
 *	shim.state	restarts and why; only of containers for which there is something to tell
 *
 * Messages, because the request is one; both carry a version, and what is not known is skipped.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "runtime/shim/journal.pb-c.h"

#define JOURNAL_VERSION 1
#define JOURNAL_CREATE "shim.create"
#define JOURNAL_STATE "shim.state"

int journal_write_create(const char *bundle, const Task__CreateRequest *request,
			 const uint64_t pipes[static 3], struct err *err);
int journal_write_state(const char *bundle, const Journal__State *state, struct err *err);

/* Locks shim.create for the life of the descriptor, which is returned. */
int journal_lock(const char *bundle, struct err *err);

/* There is one, and no shim that lives holds it. */
bool journal_is_orphaned(const char *bundle);

/* Owned by the caller (proto_free). -ENOENT where there is none. */
int journal_read_create(const char *bundle, Journal__Create **ret, struct err *err);
int journal_read_state(const char *bundle, Journal__State **ret, struct err *err);
