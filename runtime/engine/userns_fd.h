/* SPDX-License-Identifier: Apache-2.0 */
/* A user namespace whose ids 0 to 65535 are a range of the host's, from base on. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Gives the new user namespace of a process its maps. */
int userns_write_maps(pid_t pid, uint32_t base, struct err *err);

/* One for id-mapped mounts, without a process in it. Returns an fd. */
int userns_fd_open(uint32_t base, struct err *err);
