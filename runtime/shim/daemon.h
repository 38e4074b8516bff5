/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a daemon: a session of its own, nothing of the caller's kept. */
#pragma once

#include <stdbool.h>

struct daemon_options {
	bool debug; /* log at debug level, to the file shim.log where containerd reads no log */
};

/*
 * Call in the bundle folder, which is left. Messages go to the FIFO `log` of the bundle where
 * containerd made one, else nowhere. keep_fd is the only descriptor that survives; its new number
 * is returned.
 */
int daemon_become(const struct daemon_options *options, int keep_fd);
