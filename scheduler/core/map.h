/* SPDX-License-Identifier: Apache-2.0 */
/* A hash map from 64-bit keys to 32-bit values, open addressing. A zeroed one is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX /* not a value */

struct map {
	struct map_slot {
		uint64_t key;
		uint32_t value, used;
	} * slots;
	size_t size, count; /* size: a power of two, or 0 */
};

/* MAP_NONE where the key is not there. */
uint32_t map_get(const struct map *map, uint64_t key);
/* Adds or replaces. 0 or -ENOMEM. */
int map_put(struct map *map, uint64_t key, uint32_t value);
/* Room for so many entries in all: as long as there are no more, map_put cannot fail and allocates
 * nothing. 0 or -ENOMEM. */
int map_reserve(struct map *map, size_t count);
void map_remove(struct map *map, uint64_t key);
/* Empty, and as large as it was: as many can be put again without an allocation. */
void map_clear(struct map *map);
void map_deinit(struct map *map);

/* A good mixer of 64 bits; also what makes a hash of several words: hash_mix(h ^ word). */
static inline uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);
