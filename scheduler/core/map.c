/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct map_slot *find(const struct map *map, uint64_t key)
{
	size_t at = hash_mix(key) & (map->size - 1);

	while (map->slots[at].used && map->slots[at].key != key)
		at = (at + 1) & (map->size - 1);
	return &map->slots[at];
}

uint32_t map_get(const struct map *map, uint64_t key)
{
	const struct map_slot *slot = map->size ? find(map, key) : NULL;

	return slot && slot->used ? slot->value : MAP_NONE;
}

static int grow(struct map *map)
{
	struct map bigger = { .size = map->size ? map->size * 2 : 16, .count = map->count };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->size; i++)
		if (map->slots[i].used)
			*find(&bigger, map->slots[i].key) = map->slots[i];
	free(map->slots);
	*map = bigger;
	return 0;
}

int map_put(struct map *map, uint64_t key, uint32_t value)
{
	struct map_slot *slot;

	if (map->count * 3 >= map->size * 2) {
		int r = grow(map);

		if (r < 0)
			return r;
	}
	slot = find(map, key);
	map->count += !slot->used;
	*slot = (struct map_slot){ .key = key, .value = value, .used = 1 };
	return 0;
}

int map_reserve(struct map *map, size_t count)
{
	while (map->size * 2 < count * 3) {
		int r = grow(map);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Closes the gap, so that no tombstone is needed. */
void map_remove(struct map *map, uint64_t key)
{
	size_t mask = map->size - 1, gap, at, home;
	struct map_slot *slot = map->size ? find(map, key) : NULL;

	if (!slot || !slot->used)
		return;
	gap = at = (size_t)(slot - map->slots);
	for (;;) {
		at = (at + 1) & mask;
		if (!map->slots[at].used)
			break;
		home = hash_mix(map->slots[at].key) & mask;
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			map->slots[gap] = map->slots[at];
			gap = at;
		}
	}
	map->slots[gap].used = 0;
	map->count--;
}

void map_clear(struct map *map)
{
	if (map->size)
		memset(map->slots, 0, map->size * sizeof(*map->slots));
	map->count = 0;
}

void map_deinit(struct map *map)
{
	free(map->slots);
	*map = (struct map){ 0 };
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed ^ len, word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = hash_mix(h ^ word);
	}
	word = 0;
	if (len)
		memcpy(&word, p, len);
	return hash_mix(h ^ word);
}
