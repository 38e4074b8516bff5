/* SPDX-License-Identifier: Apache-2.0 */
/* From what the master wants to what the engine runs. */
#pragma once

#include "scheduler/agent/box.h"

/* Everything is copied into the arena; NULL when out of memory. */
struct program *launch_copy(const struct program *program, struct arena *arena);

/* Makes and starts the box's container; on failure nothing is left of it. It blocks. */
int launch_run(const struct box *box, struct err *err);

/* Lets the container with the box's checkpoint go on as the box's own; what is left when it fails
 * box_discard() removes. It blocks. */
int launch_restore(const struct box *box, struct err *err);
