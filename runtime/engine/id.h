/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of containers: 64 hex digits by chance, of which people see the first twelve. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "runtime/engine/layout.h"

#define ID_SHORT_LEN 12

int id_make(char ret[static LAYOUT_ID_SIZE], struct err *err);

/* A whole id. */
bool id_is_valid(const char *text);

/* What may begin an id: 1 to 64 lower-case hex digits. */
bool id_is_prefix(const char *text);
