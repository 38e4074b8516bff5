/* SPDX-License-Identifier: Apache-2.0 */
/* The person's terminal: its size, and raw mode that never outlives us. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Size of the terminal behind stdin, stdout or stderr; false where there is none. */
bool terminal_size(uint16_t *ret_width, uint16_t *ret_height);

/*
 * Puts the terminal of stdin into raw mode until terminal_restore(), exit(), or a signal that
 * says we are broken (SIGSEGV and the like). 0 also where stdin is no terminal.
 */
int terminal_make_raw(struct err *err);
void terminal_restore(void);
