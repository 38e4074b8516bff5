/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the listener of a seccomp profile with SCMP_ACT_NOTIFY, and what they are told. */
#pragma once

#include <sys/types.h>

#include "runtime/container.h"

/*
 * Connects to the profile's listenerPath. ret_state: the container process state (runtime-spec,
 * "The Container Process State"), of the process pid; owned by the caller, like ret_socket.
 */
int listener_open(const struct container *container, const struct oci_seccomp *profile, pid_t pid,
		  enum oci_status status, int *ret_socket, char **ret_state, struct err *err);
