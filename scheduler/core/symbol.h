/* SPDX-License-Identifier: Apache-2.0 */
/* Strings as small numbers: equal strings have equal numbers, 0 is "no string". */
#pragma once

#include "scheduler/core/map.h"

struct symbols {
	char **names; /* [0] is ""; NULL: free, since a sweep */
	size_t count, size;
	size_t hole;	    /* no number below is free */
	struct map by_hash; /* of the string, probed upwards where two strings share one */
};

int symbols_init(struct symbols *symbols);
void symbols_deinit(struct symbols *symbols);
/* The number of a string, the lowest that is free; NULL has 0. -ENOMEM. */
int symbol_intern(struct symbols *symbols, const char *name, uint32_t *ret);
/* 0 where there is none. */
uint32_t symbol_find(const struct symbols *symbols, const char *name);
/* Forgets the strings whose numbers are not marked. */
void symbols_sweep(struct symbols *symbols, const uint8_t *used);
/* Number `at`, which is the next one, is that string, or free (NULL). For what is read back: 0,
 * -EINVAL or -ENOMEM. */
int symbols_append(struct symbols *symbols, size_t at, const char *name);

static inline const char *symbol_name(const struct symbols *symbols, uint32_t symbol)
{
	return symbols->names[symbol];
}
