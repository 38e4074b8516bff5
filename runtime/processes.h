/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container that has no cgroup. */
#pragma once

#include "runtime/container_struct.h"

/*
 * Signals all processes of its pid namespace; -EOPNOTSUPP when that is ours as well. 0 also when
 * none is left. Not at one moment, as by a cgroup: who forks all the time may get away with it, but
 * from SIGKILL to init.
 */
int processes_signal(const struct container *container, int signal, struct err *err);
