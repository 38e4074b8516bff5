/* SPDX-License-Identifier: Apache-2.0 */
/* A memory limit that is too low to start anything: who dies of it gets no word, but SIGKILL. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "runtime/container.h"

/* What a small static program needs to be started in a new container of the default bundle. */
#define MEMORY_LEAST_KIB 192

/* Where the limit is below that: says so instead of what the error said. Returns -err->code. */
int memory_limit_blame(const struct oci_config *config, struct err *err);

/* The program was killed, the limit is below that, and the kernel ran out of memory within it. */
bool memory_limit_killed(struct container *container, struct err *err);
