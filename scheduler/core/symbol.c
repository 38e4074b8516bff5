/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/symbol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int symbols_init(struct symbols *symbols)
{
	*symbols = (struct symbols){ .text = arena_new(), .count = 1, .size = 64 };
	symbols->names = calloc(symbols->size, sizeof(*symbols->names));
	if (!symbols->text || !symbols->names) {
		symbols_deinit(symbols);
		return -ENOMEM;
	}
	symbols->names[0] = "";
	return 0;
}

void symbols_deinit(struct symbols *symbols)
{
	arena_free(symbols->text);
	free(symbols->names);
	map_deinit(&symbols->by_hash);
	*symbols = (struct symbols){ 0 };
}

/* The key at which the string stands or may be put. */
static uint64_t key_of(const struct symbols *symbols, const char *name, uint32_t *ret)
{
	uint64_t key = hash_bytes(name, strlen(name), 0);

	for (;; key++) {
		*ret = map_get(&symbols->by_hash, key);
		if (*ret == MAP_NONE || strcmp(symbols->names[*ret], name) == 0)
			return key;
	}
}

uint32_t symbol_find(const struct symbols *symbols, const char *name)
{
	uint32_t found;

	if (!name)
		return 0;
	key_of(symbols, name, &found);
	return found == MAP_NONE ? 0 : found;
}

int symbol_intern(struct symbols *symbols, const char *name, uint32_t *ret)
{
	uint32_t found;
	uint64_t key;
	char *copy;

	if (!name) {
		*ret = 0;
		return 0;
	}
	key = key_of(symbols, name, &found);
	if (found != MAP_NONE) {
		*ret = found;
		return 0;
	}
	if (symbols->count == symbols->size) {
		const char **more = reallocarray(symbols->names, symbols->size * 2, sizeof(*more));

		if (!more)
			return -ENOMEM;
		symbols->names = more;
		symbols->size *= 2;
	}
	copy = arena_strdup(symbols->text, name);
	if (!copy || map_put(&symbols->by_hash, key, (uint32_t)symbols->count) < 0)
		return -ENOMEM;
	symbols->names[symbols->count] = copy;
	*ret = (uint32_t)symbols->count++;
	return 0;
}
