/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing a container's readiness on to the service manager that started us (sd_notify(3)): READY=1
 * as the program says it, and MAINPID= its pid. Nothing else of what it says gets out.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* The service manager that started us listens: NOTIFY_SOCKET is set. */
bool notify_is_wanted(void);

/* Before the program is started: its socket, an fd; -1 when it has none or nobody listens. */
int notify_open(const char *root, const char *id, int *ret_fd, struct err *err);

/* Reads what the program said; true when that made it ready and was passed on. */
bool notify_pass(int fd, pid_t pid);

/* Waits until it is ready or has ended. */
void notify_wait(int fd, pid_t pid, int pidfd);
