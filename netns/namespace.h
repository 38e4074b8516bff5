/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces from outside: what must happen inside of one is done by a short-lived child,
 * so that our own namespace never changes. See network.h for create and remove.
 */
#pragma once

#include "base/err.h"

/* Runs fn in a child that shares our memory. flags: CLONE_NEW*. 0, or -errno where the child did
 * not come to its end. */
int namespace_run(int (*fn)(void *data), void *data, int flags, struct err *err);

/* Opens a namespace by its name. Returns an fd (O_CLOEXEC) or -errno. */
int namespace_open(const char *path, struct err *err);

/* socket(2) in the namespace. Returns an fd (type gets SOCK_CLOEXEC) or -errno. */
int namespace_socket(int netns_fd, int family, int type, int protocol, struct err *err);

/*
 * The lock of the current namespace: held by one process at a time, whatever folder it works for.
 * Close the fd to unlock it. Returns an fd or -errno.
 */
int namespace_lock(struct err *err);
