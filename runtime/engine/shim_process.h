/* SPDX-License-Identifier: Apache-2.0 */
/* The shim of a container as a process: for one that answers nobody any more. */
#pragma once

#include "base/err.h"

/*
 * Kills the shim that was started for the container (its command line says so, and it is our
 * user's) and waits for its end. Returns how many were found, -ETIMEDOUT when one does not die.
 */
int shim_process_kill(const char *id, struct err *err);
