/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job, alloc, machine, ...: what they have in common. */
#pragma once

#include <stddef.h>

#include "cmd/ctr/verbs.h"

bool ctr_is_of_cell(const struct verb *verb);
/* Becomes the helper, which prints what may come next; words begin with the group. */
void ctr_cell_words(const struct ctr *ctr, size_t count, char *const *words);
