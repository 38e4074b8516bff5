/* SPDX-License-Identifier: Apache-2.0 */
/* Strings as small numbers: equal strings have equal numbers, 0 is "no string". */
#pragma once

#include "base/arena.h"
#include "scheduler/core/map.h"

struct symbols {
	struct arena *text;
	const char **names; /* [0] is "" */
	size_t count, size;
	struct map by_hash; /* of the string, probed upwards where two strings share one */
};

int symbols_init(struct symbols *symbols);
void symbols_deinit(struct symbols *symbols);
/* The number of a string; NULL has 0. -ENOMEM. */
int symbol_intern(struct symbols *symbols, const char *name, uint32_t *ret);
/* 0 where the string was never seen. */
uint32_t symbol_find(const struct symbols *symbols, const char *name);

static inline const char *symbol_name(const struct symbols *symbols, uint32_t symbol)
{
	return symbols->names[symbol];
}
