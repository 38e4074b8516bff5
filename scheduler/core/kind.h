/* SPDX-License-Identifier: Apache-2.0 */
/* Machines, and the kinds they fall into: what is decided for a kind holds for all its machines. */
#pragma once

#include "scheduler/core/state.h"

/* The value of a machine's attribute, failure domains included; 0 where it has none. */
uint32_t machine_attribute(const struct cell *cell, uint32_t machine, uint32_t key);
/* The same for a kind, without failure domains. */
uint32_t kind_attribute(const struct kind *kind, uint32_t key);
/* The domain that a key names ("rack"), or -1. */
int domain_of_key(const struct cell *cell, uint32_t key);

void kinds_deinit(struct cell *cell);
