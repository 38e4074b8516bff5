/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify(3) out of a container. The service manager's socket never enters it: the program gets a
 * socket of ours, ROOT/ID/notify/notify.sock, at /run/notify, and whoever starts the container
 * passes on that it is ready, and with which pid (cmd/cellar/notify.h).
 */
#pragma once

#include "base/err.h"
#include "spec/oci_config.h"

#define NOTIFY_FOLDER "notify"
#define NOTIFY_SOCKET_FILE NOTIFY_FOLDER "/notify.sock"

/* Makes the folder in the state folder (dirfd, whose path is state), and gives the container the
 * mount and the variable for it. */
int notify_prepare(int dirfd, const char *state, struct oci_config *config, struct err *err);
