/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a terminal's master to the socket that --console-socket names. */
#pragma once

#include "base/err.h"

/* Connects to the AF_UNIX stream socket. Returns an fd. */
int console_connect(const char *path, struct err *err);

/* Sends master by SCM_RIGHTS, with the name of its terminal as the payload. */
int console_send(int socket, int master, struct err *err);
