/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/spread.h"

#include <errno.h>

static uint64_t key_at(uint32_t group, uint32_t domain)
{
	return (uint64_t)group << 32 | domain;
}

int spread_group(struct cell *cell, const struct spread_rule *rule, uint32_t name, uint32_t *ret)
{
	uint64_t key = key_at(name, (uint32_t)rule->kind * DOMAIN_COUNT + rule->domain);
	int r;

	*ret = map_get(&cell->group_of, key);
	if (*ret != MAP_NONE)
		return 0;
	*ret = (uint32_t)cell->group_count;
	r = state_grow(cell->groups, cell->group_count, cell->group_size);
	if (r < 0 || (r = map_put(&cell->group_of, key, *ret)) < 0)
		return r;
	cell->groups[cell->group_count++] = (struct group){
		.name = name,
		.kind = rule->kind,
		.domain = rule->domain,
		.most = rule->most ? rule->most : 1,
	};
	return 0;
}

static uint32_t count_at(const struct cell *cell, uint32_t group, uint32_t domain)
{
	uint32_t count = map_get(&cell->group_at, key_at(group, domain));

	return count == MAP_NONE ? 0 : count;
}

/* A divided group remembers which division a domain belongs to, and how many tasks are there. */
#define DIVISION_SHIFT 20

bool spread_allows(const struct cell *cell, const struct class *class, uint32_t machine)
{
	const struct group *group = &cell->groups[class->group];
	uint32_t domain = cell->more[machine].domain[group->domain];
	uint32_t there;

	switch (group->kind) {
	case SPREAD_TOGETHER:
		return !group->home || domain == group->home;
	case SPREAD_APART:
		return count_at(cell, class->group, domain) < group->most;
	case SPREAD_DIVIDED:
		there = count_at(cell, class->group, domain);
		return !there || there >> DIVISION_SHIFT == class->division;
	case SPREAD_NONE:
		break;
	}
	return true;
}

int spread_came(struct cell *cell, const struct class *class, uint32_t machine)
{
	struct group *group = &cell->groups[class->group];
	uint32_t domain = cell->more[machine].domain[group->domain];
	uint32_t there = count_at(cell, class->group, domain);
	int r;

	if (group->kind == SPREAD_DIVIDED && !there)
		there = class->division << DIVISION_SHIFT;
	r = map_put(&cell->group_at, key_at(class->group, domain), there + 1);
	if (r < 0)
		return r;
	if (group->kind == SPREAD_TOGETHER)
		group->home = domain;
	group->placed++;
	return 0;
}

void spread_left(struct cell *cell, const struct class *class, uint32_t machine)
{
	struct group *group = &cell->groups[class->group];
	uint32_t domain = cell->more[machine].domain[group->domain];
	uint64_t key = key_at(class->group, domain);
	uint32_t there = map_get(&cell->group_at, key) - 1;

	/* An entry that is there is only lowered: this never allocates. */
	if (there & ((1u << DIVISION_SHIFT) - 1))
		map_put(&cell->group_at, key, there);
	else
		map_remove(&cell->group_at, key);
	if (!--group->placed)
		group->home = 0;
}
