/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of machines by what is free: each kind has a square of 16 by 16 cells, one axis CPU,
 * the other memory (or free devices, where the kind has devices). A machine lies in the cell of
 * what it has free, places growing finer towards "nothing": most machines of a busy cell lie there.
 * A search reads the cells that a request can fit into and never looks at the rest.
 *
 * Machines that are not up are not in it.
 */
#pragma once

#include "scheduler/core/state.h"

/* Sets the scales of a kind's axes from its capacity. */
void index_scale(struct kind *kind);

/* Puts in, takes out, and moves after a change of what is free. */
/* The kind has got one machine more: cuts its cells finer when it is time. */
void index_grow(struct cell *cell, struct kind *kind);
void index_insert(struct cell *cell, uint32_t machine);
void index_remove(struct cell *cell, uint32_t machine);
void index_move(struct cell *cell, uint32_t machine);

/* The first cell that may hold the request, as 16 * CPU + other, before the kind's shift. */
/* Room for so many in a cell of the index, from the kind's arena. 0 or -ENOMEM. */
int index_reserve(struct kind *kind, struct index_cell *at, uint32_t size);
uint16_t index_first(const struct kind *kind, const struct request *request);
/* The part of the kind from that cell on; returns how many machines lie in it. */
uint32_t index_part(const struct kind *kind, uint16_t first, struct index_part *ret);

/* Where a machine belongs by what is free now; for index_move and the invariant check. */
void index_place(const struct cell *cell, uint32_t machine, uint8_t *ret_cpu, uint8_t *ret_other);
