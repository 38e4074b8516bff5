/* SPDX-License-Identifier: Apache-2.0 */
/* What a placement costs by the cell's policy: the least wins. */
#pragma once

#include "scheduler/core/fit.h"

float score_of(struct cell *cell, const struct class *class, uint32_t machine, struct grip *grip);
/* No task can score less there, whatever it asks for: what is not less than the best so far need
 * not be scored. */
float score_at_least(struct cell *cell, uint32_t machine);
/* Is the score no more than strand_after less strand_of? By the default policy, where there are no
 * wishes and no share of a device to choose. */
bool score_is_strand(const struct cell *cell, const struct class *class);
