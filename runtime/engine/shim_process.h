/* SPDX-License-Identifier: Apache-2.0 */
/* The shim of a container as a process. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct shim_client;

/* Starts one for the container with this folder, and connects to it. adopt: the one before was
 * killed, and the container may run. */
int shim_process_start(const char *runroot, const char *id, const char *folder, bool adopt,
		       struct shim_client **ret, struct err *err);

/*
 * Kills the shim that was started for the container (its command line says so, and it is our
 * user's) and waits for its end. Returns how many were found, -ETIMEDOUT when one does not die.
 */
int shim_process_kill(const char *id, struct err *err);
