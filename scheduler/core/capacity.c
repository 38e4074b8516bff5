/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/capacity.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler/core/class.h"
#include "scheduler/core/index.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/reclaim.h"

static int check(const struct cell *cell, uint32_t machine, const struct amounts *capacity,
		 struct err *err)
{
	const char *name = symbol_name(&cell->symbols, cell->more[machine].name);

	if (is_room(cell, machine) || cell->kinds[cell->machines[machine].kind]->node_count)
		return err_say(err, EINVAL, "machine %s: its capacity does not change", name);
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (capacity->of[r] < 0 || capacity->of[r] > AMOUNT_MAX)
			return err_say(err, ERANGE, "machine %s: that is no capacity", name);
	return 0;
}

/* The kind that differs in its capacity alone. */
static int find_kind(struct cell *cell, const struct kind *was, const struct amounts *capacity,
		     uint32_t *ret)
{
	_cleanup_free_ struct attribute *attributes =
		calloc(was->attribute_count + 1, sizeof(*attributes));
	struct machine_spec spec = {
		.capacity = *capacity,
		.device_count = was->device_count,
		.device_model =
			was->device_model ? symbol_name(&cell->symbols, was->device_model) : NULL,
		.attributes = attributes,
		.attribute_count = was->attribute_count,
	};

	if (!attributes)
		return -ENOMEM;
	for (size_t a = 0; a < was->attribute_count; a++)
		attributes[a] = (struct attribute){
			symbol_name(&cell->symbols, was->attributes[a].key),
			symbol_name(&cell->symbols, was->attributes[a].value),
		};
	return kind_find(cell, &spec, 0, ret);
}

static void change_kind(struct cell *cell, uint32_t machine, uint32_t kind)
{
	struct machine *m = &cell->machines[machine];
	struct kind *was = cell->kinds[m->kind], *is = cell->kinds[kind];
	bool up = m->state == MACHINE_UP;

	if (up)
		index_remove(cell, machine);
	was->machines--;
	was->up -= up;
	is->machines++;
	is->up += up;
	amounts_subtract(&m->free, &was->capacity);
	amounts_add(&m->free, &is->capacity);
	if (m->state != MACHINE_DOWN) {
		amounts_subtract(&cell->capacity, &was->capacity);
		amounts_add(&cell->capacity, &is->capacity);
	}
	m->kind = kind;
	m->strand_epoch = 0;
	index_grow(cell, is);
	if (up)
		index_insert(cell, machine);
}

static bool lacks(const struct cell *cell, uint32_t machine)
{
	static const struct amounts nothing;

	return !amounts_fit(&nothing, &cell->machines[machine].free);
}

/* The lowest; of equal ones batch before what somebody waits for. */
static uint32_t lowest(const struct cell *cell, uint32_t machine)
{
	unsigned best = UINT32_MAX;
	uint32_t victim = NONE;

	for (uint32_t t = cell->more[machine].tasks; t != NONE; t = cell->tasks[t].next) {
		unsigned rank = 2 * cell->classes[cell->tasks[t].class].priority +
				cell->jobs[cell->tasks[t].job].latency_sensitive;

		if (rank < best) {
			best = rank;
			victim = t;
		}
	}
	return victim;
}

static void make_room(struct cell *cell, uint32_t machine)
{
	uint32_t victim;

	while (lacks(cell, machine) && (victim = lowest(cell, machine)) != NONE)
		reclaim_evict(cell, victim);
}

int cell_set_capacity(struct cell *cell, uint32_t machine, const struct amounts *capacity,
		      struct err *err)
{
	uint32_t kind;

	err_try(check(cell, machine, capacity, err));
	if (find_kind(cell, cell->kinds[cell->machines[machine].kind], capacity, &kind) < 0)
		return err_set(err, ENOMEM, "change the capacity of a machine");
	if (kind == cell->machines[machine].kind)
		return 0;
	change_kind(cell, machine, kind);
	make_room(cell, machine);
	if (cell->machines[machine].state == MACHINE_UP)
		class_wake_all(cell);
	return 0;
}
