/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/spread.h"

#include <errno.h>

static uint64_t key_at(uint32_t group, uint32_t domain)
{
	return (uint64_t)group << 32 | domain;
}

static uint64_t key_of(uint32_t name, enum spread kind, enum domain domain, bool soft)
{
	return key_at(name, (uint32_t)kind * DOMAIN_COUNT + domain + 64u * soft);
}

int spread_group(struct cell *cell, const struct spread_rule *rule, uint32_t name, uint32_t *ret)
{
	uint64_t key = key_of(name, rule->kind, rule->domain, rule->soft);
	int r;

	*ret = map_get(&cell->group_of, key);
	if (*ret != MAP_NONE)
		return 0;
	while (cell->group_hole < cell->group_count && cell->groups[cell->group_hole].name)
		cell->group_hole++;
	*ret = (uint32_t)cell->group_hole;
	r = *ret < cell->group_count
		    ? 0
		    : state_grow(cell->groups, cell->group_count, cell->group_size);
	if (r < 0 || (r = map_put(&cell->group_of, key, *ret)) < 0)
		return r;
	cell->made++;
	cell->group_count += *ret == cell->group_count;
	cell->groups[*ret] = (struct group){
		.name = name,
		.kind = rule->kind,
		.domain = rule->domain,
		.most = rule->most ? rule->most : 1,
		.soft = rule->soft,
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

static uint32_t domain_of(const struct cell *cell, const struct group *group, uint32_t machine)
{
	return cell->more[machine].domain[group->domain];
}

static bool allows(const struct cell *cell, const struct class *class, uint32_t g, uint32_t machine)
{
	const struct group *group = &cell->groups[g];
	uint32_t domain = domain_of(cell, group, machine), there;

	if (group->soft)
		return true;
	switch (group->kind) {
	case SPREAD_TOGETHER:
		return !group->home || domain == group->home;
	case SPREAD_APART:
		return count_at(cell, g, domain) < group->most;
	case SPREAD_DIVIDED:
		there = count_at(cell, g, domain);
		return !there || there >> DIVISION_SHIFT == class->division;
	case SPREAD_NONE:
		break;
	}
	return true;
}

bool spread_allows(const struct cell *cell, const struct class *class, uint32_t machine)
{
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++)
		if (!allows(cell, class, class->groups[i], machine))
			return false;
	return true;
}

float spread_unmet(const struct cell *cell, const struct class *class, uint32_t machine)
{
	float unmet = 0;

	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++) {
		const struct group *group = &cell->groups[class->groups[i]];
		uint32_t domain = domain_of(cell, group, machine), there;

		if (!group->soft)
			continue;
		if (group->kind == SPREAD_TOGETHER) {
			unmet += (float)(group->home && domain != group->home);
			continue;
		}
		there = count_at(cell, class->groups[i], domain);
		if (there >= group->most)
			unmet += 1 + (float)there / (float)group->placed;
	}
	return unmet;
}

static int came(struct cell *cell, const struct class *class, uint32_t g, uint32_t machine)
{
	struct group *group = &cell->groups[g];
	uint32_t domain = domain_of(cell, group, machine);
	uint32_t there = count_at(cell, g, domain);
	int r;

	if (group->kind == SPREAD_DIVIDED && !there)
		there = class->division << DIVISION_SHIFT;
	r = map_put(&cell->group_at, key_at(g, domain), there + 1);
	if (r < 0)
		return r;
	if (group->kind == SPREAD_TOGETHER && (!group->soft || !group->home))
		group->home = domain;
	group->placed++;
	return 0;
}

static void left(struct cell *cell, uint32_t g, uint32_t machine)
{
	struct group *group = &cell->groups[g];
	uint64_t key = key_at(g, domain_of(cell, group, machine));
	uint32_t there = map_get(&cell->group_at, key) - 1;

	/* An entry that is there is only lowered: this never allocates. */
	if (there & ((1u << DIVISION_SHIFT) - 1))
		map_put(&cell->group_at, key, there);
	else
		map_remove(&cell->group_at, key);
	if (!--group->placed)
		group->home = 0;
}

int spread_came(struct cell *cell, const struct class *class, uint32_t machine)
{
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++) {
		int r = came(cell, class, class->groups[i], machine);

		if (r == 0)
			continue;
		while (i-- > 0)
			left(cell, class->groups[i], machine);
		return r;
	}
	return 0;
}

void spread_left(struct cell *cell, const struct class *class, uint32_t machine)
{
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++)
		left(cell, class->groups[i], machine);
}

void spread_sweep(struct cell *cell, const uint8_t *used)
{
	for (size_t g = 0; g < cell->group_count; g++) {
		struct group *group = &cell->groups[g];

		if (used[g] || !group->name)
			continue;
		map_remove(&cell->group_of,
			   key_of(group->name, group->kind, group->domain, group->soft));
		*group = (struct group){ 0 };
	}
	cell->group_hole = 0;
}
