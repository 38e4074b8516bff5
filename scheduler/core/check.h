/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The invariant check of debug builds. cell_check (cell.h) is there in every build, on demand; this
 * runs it after each decision, in a large cell after as many as pay for a recount, and aborts with
 * the sentence of the first invariant that is broken.
 */
#pragma once

#include "scheduler/core/state.h"

void check_step(struct cell *cell);
