/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities a container gets: Docker's default set, changed by --cap-add and --cap-drop.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Docker's fourteen; bit n is capability n. */
extern const uint64_t capabilities_default;

/* What this process could hand on: its bounding set. */
uint64_t capabilities_host(void);

/*
 * Names with or without "CAP_", any case, or "ALL"; lists are NULL-terminated or NULL. ALL in add
 * starts from everything, ALL in drop from nothing; a name in both is dropped. What the host does
 * not have is left out of the default and of ALL, and an error when it is asked for by name.
 */
int capabilities_choose(const char *const *add, const char *const *drop, uint64_t host,
			uint64_t *ret, struct err *err);
