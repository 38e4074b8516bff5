/* SPDX-License-Identifier: Apache-2.0 */
/* linux.netDevices: interfaces that a container takes over from the runtime's network namespace. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"

/* Moves them all into the network namespace of pid, which must be another one than ours. */
int net_devices_move(const struct oci_config *config, pid_t pid, struct err *err);
