/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on how tasks lie to each other: where the tasks of a group are, counted by domain. */
#pragma once

#include "scheduler/core/state.h"

/* The group of that name and rule, made where it is new. */
int spread_group(struct cell *cell, const struct spread_rule *rule, uint32_t name, uint32_t *ret);
bool spread_allows(const struct cell *cell, const struct class *class, uint32_t machine);
/* How far the machine is from what the soft rules wish, 0: not at all, about 1 a rule. */
float spread_unmet(const struct cell *cell, const struct class *class, uint32_t machine);
/* A task of the class came to a machine, or left it. -ENOMEM only when it came. */
int spread_came(struct cell *cell, const struct class *class, uint32_t machine);
void spread_left(struct cell *cell, const struct class *class, uint32_t machine);

/* Forgets the groups that are not marked: nothing of them is placed. */
void spread_sweep(struct cell *cell, const uint8_t *used);
