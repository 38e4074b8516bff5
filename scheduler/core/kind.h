/* SPDX-License-Identifier: Apache-2.0 */
/* Machines, and the kinds they fall into: what is decided for a kind holds for all its machines. */
#pragma once

#include "scheduler/core/state.h"

/* The value of a kind's attribute; 0 where it has none. Failure domains are none. */
uint32_t kind_attribute(const struct kind *kind, uint32_t key);
/* The domain that a key names ("rack"), or -1. */
int domain_of_key(const struct cell *cell, uint32_t key);

/* The kind of such machines, made where it is new. 0 or -ENOMEM. */
int kind_find(struct cell *cell, const struct machine_spec *spec, uint32_t set, uint32_t *ret);
/* One machine more of such a kind (of an alloc set, by name; 0: a real one), down and empty. 0 or
 * -ENOMEM. */
int kind_add_machine(struct cell *cell, const struct machine_spec *spec, uint32_t set,
		     const struct machine_more *more, uint32_t *ret_machine);

/* The kinds of rooms that have none left are free for others. */
void kinds_sweep(struct cell *cell);
void kinds_deinit(struct cell *cell);
