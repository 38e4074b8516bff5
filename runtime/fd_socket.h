/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a descriptor to whoever listens on an AF_UNIX stream socket that a path names. */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* what: "console socket", for the sentence of a failure. Returns an fd. */
int fd_socket_connect(const char *path, const char *what, struct err *err);

/* Sends one message of that text, not empty, with the descriptor beside it. 0 or -errno. */
int fd_socket_send(int socket, int fd, const char *text, size_t len);
