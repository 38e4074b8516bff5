/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/symbol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int symbols_init(struct symbols *symbols)
{
	*symbols = (struct symbols){ .count = 1, .size = 64, .hole = 1 };
	symbols->names = calloc(symbols->size, sizeof(*symbols->names));
	if (!symbols->names)
		return -ENOMEM;
	symbols->names[0] = strdup("");
	if (!symbols->names[0]) {
		symbols_deinit(symbols);
		return -ENOMEM;
	}
	return 0;
}

void symbols_deinit(struct symbols *symbols)
{
	for (size_t i = 0; symbols->names && i < symbols->count; i++)
		free(symbols->names[i]);
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

static int make_room(struct symbols *symbols)
{
	char **more;

	while (symbols->hole < symbols->count && symbols->names[symbols->hole])
		symbols->hole++;
	if (symbols->hole < symbols->size)
		return 0;
	more = reallocarray(symbols->names, symbols->size * 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	symbols->names = more;
	symbols->size *= 2;
	return 0;
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
	if (make_room(symbols) < 0)
		return -ENOMEM;
	copy = strdup(name);
	if (!copy || map_put(&symbols->by_hash, key, (uint32_t)symbols->hole) < 0) {
		free(copy);
		return -ENOMEM;
	}
	symbols->names[symbols->hole] = copy;
	*ret = (uint32_t)symbols->hole++;
	if (symbols->hole > symbols->count)
		symbols->count = symbols->hole;
	return 0;
}

void symbols_sweep(struct symbols *symbols, const uint8_t *used)
{
	uint32_t found;

	/* As many entries as there were, or fewer: nothing is allocated. */
	map_clear(&symbols->by_hash);
	symbols->hole = 1;
	for (size_t i = 1; i < symbols->count; i++) {
		if (!symbols->names[i])
			continue;
		if (used[i]) {
			map_put(&symbols->by_hash, key_of(symbols, symbols->names[i], &found),
				(uint32_t)i);
			continue;
		}
		free(symbols->names[i]);
		symbols->names[i] = NULL;
	}
}

int symbols_append(struct symbols *symbols, size_t at, const char *name)
{
	uint32_t symbol;
	int r;

	if (at != symbols->count)
		return -EINVAL;
	symbols->hole = symbols->count;
	if (name) {
		r = symbol_intern(symbols, name, &symbol);
		return r < 0 ? r : symbol == at ? 0 : -EINVAL;
	}
	r = make_room(symbols);
	if (r < 0)
		return r;
	symbols->names[symbols->count++] = NULL;
	return 0;
}
