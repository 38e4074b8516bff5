/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/index.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The square root makes the cells small where little is free. Monotone, so that what fits into a
 * machine is never placed above it. */
static unsigned place_of(int64_t amount, double scale)
{
	unsigned at;

	if (amount <= 0)
		return 0;
	at = (unsigned)sqrt((double)amount * scale);
	return at < INDEX_SIDE ? at : INDEX_SIDE - 1;
}

/* Machines from which on a kind has 16, 8, 4, 2 cells a side; else it has one. */
#define INDEX_SHIFTS 5
static const uint32_t shift_from[INDEX_SHIFTS] = { 2048, 512, 128, 32, 0 };

void index_scale(struct kind *kind)
{
	const double last = (INDEX_SIDE - 1) * (INDEX_SIDE - 1);
	int64_t other = kind->device_count ? (int64_t)kind->device_count * DEVICE_WHOLE
					   : kind->capacity.of[RESOURCE_MEMORY];
	int64_t cpu = kind->capacity.of[RESOURCE_CPU];

	kind->shift = INDEX_SHIFTS - 1;
	kind->cpu_scale = cpu ? last / (double)cpu : 0;
	kind->other_scale = other ? last / (double)other : 0;
}

static int64_t devices_free(const struct cell *cell, uint32_t machine, unsigned count)
{
	int64_t sum = 0;

	for (unsigned d = 0; d < count; d++)
		sum += cell->more[machine].device_free[d];
	return sum;
}

void index_place(const struct cell *cell, uint32_t machine, uint8_t *ret_cpu, uint8_t *ret_other)
{
	const struct machine *m = &cell->machines[machine];
	const struct kind *kind = cell->kinds[m->kind];
	int64_t other = kind->device_count ? devices_free(cell, machine, kind->device_count)
					   : m->free.of[RESOURCE_MEMORY];

	*ret_cpu = (uint8_t)(place_of(m->free.of[RESOURCE_CPU], kind->cpu_scale) >> kind->shift);
	*ret_other = (uint8_t)(place_of(other, kind->other_scale) >> kind->shift);
}

int index_reserve(struct kind *kind, struct index_cell *at, uint32_t size)
{
	uint32_t *more;

	if (!kind->lists)
		kind->lists = arena_new();
	more = kind->lists ? arena_calloc(kind->lists, size, sizeof(*more)) : NULL;
	if (!more)
		return -ENOMEM;
	if (at->count)
		memcpy(more, at->machines, at->count * sizeof(*more));
	at->machines = more;
	at->size = size;
	return 0;
}

/* A machine came into the cell, or left it. */
static void count(struct kind *kind, unsigned cpu, unsigned other, uint32_t by)
{
	for (unsigned i = 0; i <= cpu; i++)
		for (unsigned j = 0; j <= other; j++)
			kind->above[i][j] += by;
}

static void put(struct cell *cell, uint32_t machine)
{
	struct machine *m = &cell->machines[machine];
	struct kind *kind = cell->kinds[m->kind];
	struct index_cell *at = &kind->cells[m->cell_cpu][m->cell_other];

	/* Doubling, a few times in the life of a cell. */
	if (at->count == at->size && index_reserve(kind, at, at->size ? at->size * 2 : 8) < 0)
		abort();
	m->position = at->count;
	at->machines[at->count++] = machine;
	kind->filled[m->cell_cpu] |= (uint16_t)(1u << m->cell_other);
	count(kind, m->cell_cpu, m->cell_other, 1);
}

static void take(struct cell *cell, uint32_t machine)
{
	struct machine *m = &cell->machines[machine];
	struct kind *kind = cell->kinds[m->kind];
	struct index_cell *at = &kind->cells[m->cell_cpu][m->cell_other];
	uint32_t last = at->machines[--at->count];

	count(kind, m->cell_cpu, m->cell_other, UINT32_MAX);
	at->machines[m->position] = last;
	cell->machines[last].position = m->position;
	if (!at->count)
		kind->filled[m->cell_cpu] &= (uint16_t) ~(1u << m->cell_other);
}

void index_insert(struct cell *cell, uint32_t machine)
{
	struct machine *m = &cell->machines[machine];

	assert(!m->indexed);
	index_place(cell, machine, &m->cell_cpu, &m->cell_other);
	put(cell, machine);
	m->indexed = 1;
}

void index_remove(struct cell *cell, uint32_t machine)
{
	assert(cell->machines[machine].indexed);
	take(cell, machine);
	cell->machines[machine].indexed = 0;
}

void index_move(struct cell *cell, uint32_t machine)
{
	struct machine *m = &cell->machines[machine];
	uint8_t cpu, other;

	if (!m->indexed)
		return;
	index_place(cell, machine, &cpu, &other);
	if (cpu == m->cell_cpu && other == m->cell_other)
		return;
	take(cell, machine);
	m->cell_cpu = cpu;
	m->cell_other = other;
	put(cell, machine);
}

void index_grow(struct cell *cell, struct kind *kind)
{
	uint8_t shift = 0;

	while (kind->machines < shift_from[shift])
		shift++;
	if (shift == kind->shift)
		return;
	for (uint32_t m = 0; m < cell->machine_count; m++)
		if (cell->kinds[cell->machines[m].kind] == kind && cell->machines[m].indexed)
			take(cell, m);
	kind->shift = shift;
	for (uint32_t m = 0; m < cell->machine_count; m++)
		if (cell->kinds[cell->machines[m].kind] == kind && cell->machines[m].indexed) {
			struct machine *moved = &cell->machines[m];

			index_place(cell, m, &moved->cell_cpu, &moved->cell_other);
			put(cell, m);
		}
}

uint16_t index_first(const struct kind *kind, const struct request *request)
{
	int64_t other = kind->device_count ? (int64_t)request->device_count * request->device_milli
					   : request->amounts.of[RESOURCE_MEMORY];

	return (uint16_t)(place_of(request->amounts.of[RESOURCE_CPU], kind->cpu_scale) << 4 |
			  place_of(other, kind->other_scale));
}

uint32_t index_part(const struct kind *kind, uint16_t first, struct index_part *ret)
{
	unsigned cpu = (first >> 4 & 15u) >> kind->shift, other = (first & 15u) >> kind->shift;

	*ret = (struct index_part){ .kind = kind,
				    .count = kind->above[cpu][other],
				    .cpu = (uint8_t)cpu,
				    .other = (uint8_t)other };
	return ret->count;
}
