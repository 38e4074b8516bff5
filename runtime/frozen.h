/* SPDX-License-Identifier: Apache-2.0 */
/* A launch into a cgroup that somebody has frozen would wait for whoever thaws it. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/*
 * For launch_options.stalled; container: a struct container. 0: the process is not frozen, or
 * nobody can tell. -EBUSY: it is, and it was killed.
 */
int frozen_check(void *container, pid_t pid, struct err *err);
