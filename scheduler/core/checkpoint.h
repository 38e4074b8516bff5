/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint: the whole of a cell as bytes, from which another one goes on with the very same
 * decisions. Both ways are one walk over the state. The bytes are those of this build: another one
 * with other structures refuses them, as it refuses what was cut or changed.
 */
#pragma once

#include "scheduler/core/cell.h"

/* The caller frees *ret_bytes. */
int cell_save(const struct cell *cell, uint8_t **ret_bytes, size_t *ret_len, struct err *err);
/* Sets the clock and the randomness of outside to what they were. -EINVAL: no checkpoint, or not
 * one of this build. */
int cell_load(const uint8_t *bytes, size_t len, struct outside *outside, struct cell **ret,
	      struct err *err);
