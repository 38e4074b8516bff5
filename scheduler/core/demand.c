/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/demand.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define MIB (1 << 20)
/* Counted anew after a change of this part of the tasks, and not for less than so many changes. */
#define REFRESH_PART 32
#define REFRESH_LEAST 64

static void change(struct cell *cell, const struct class *class, int sign)
{
	struct demand *demand = &cell->demand;
	struct shape *shape = &cell->shapes[class->shape];
	const struct request *request = &shape->request;

	demand->ports += (uint64_t)sign * demand_ports(class);
	demand->places += (uint64_t)sign * demand_places(class);
	/* Its alloc asks for it. */
	if (class->set)
		return;
	shape->tasks += (uint64_t)sign;
	demand->tasks += (uint64_t)sign;
	demand->changes++;
	if (sign > 0)
		amounts_add(&demand->wanted, &request->amounts);
	else
		amounts_subtract(&demand->wanted, &request->amounts);
	demand->wanted_devices_milli +=
		(uint64_t)(sign * request->device_count * request->device_milli);
}

uint32_t demand_ports(const struct class *class)
{
	return class->port_count + (uint32_t) class->request.amounts.of[RESOURCE_PORTS];
}

uint32_t demand_places(const struct class *class)
{
	uint32_t places = 0;

	while (places < CLASS_GROUPS && class->groups[places] != NONE)
		places++;
	return places;
}

int demand_reserve_tables(struct cell *cell, uint64_t ports, uint64_t places)
{
	const struct demand *demand = &cell->demand;
	int r = map_reserve(&cell->port_taken, demand->ports + ports);

	if (r == 0)
		r = map_reserve(&cell->port_of, demand->ports + ports);
	if (r == 0)
		r = map_reserve(&cell->group_at, demand->places + places);
	return r;
}

void demand_add(struct cell *cell, const struct class *class)
{
	change(cell, class, 1);
}

void demand_remove(struct cell *cell, const struct class *class)
{
	change(cell, class, -1);
}

int demand_reserve(struct cell *cell)
{
	struct demand *demand = &cell->demand;
	struct demand_sum *more;

	if (cell->shape_size <= demand->sum_size)
		return 0;
	more = reallocarray(demand->sums, cell->shape_size, sizeof(*more));
	if (!more)
		return -ENOMEM;
	demand->sums = more;
	demand->sum_size = cell->shape_size;
	return 0;
}

void demand_deinit(struct demand *demand)
{
	free(demand->sums);
}

/* ---- prices ---- */

/*
 * What runs out first decides what is lost: a resource asked for to the full counts whole, one
 * asked for to 95 % not quite half, to 85 % a fourteenth. (The square of the square of the square
 * of the square.)
 */
static double scarcity(double wanted, double capacity)
{
	double load = capacity > 0 ? wanted / capacity : 0;

	load = load > 1 ? 1 : load;
	for (int i = 0; i < 4; i++)
		load *= load;
	return load;
}

static void set_prices(struct cell *cell)
{
	struct demand *demand = &cell->demand;
	double machines = cell->up ? cell->up : 1;
	double cpu = (double)cell->capacity.of[RESOURCE_CPU];
	double memory = (double)cell->capacity.of[RESOURCE_MEMORY] / MIB;
	double devices = (double)cell->devices * DEVICE_WHOLE;
	double of_cpu = scarcity((double)demand->wanted.of[RESOURCE_CPU], cpu);
	double of_memory = scarcity((double)demand->wanted.of[RESOURCE_MEMORY] / MIB, memory);
	double of_devices = scarcity((double)demand->wanted_devices_milli, devices);
	double most = fmax(of_cpu, fmax(of_memory, of_devices));

	if (most <= 0)
		most = of_cpu = of_memory = of_devices = 1;
	/* Of one machine of the mean size, the scarcest resource is worth 1. */
	demand->price_cpu = (float)(cpu > 0 ? of_cpu / most * machines / cpu : 0);
	demand->price_memory = (float)(memory > 0 ? of_memory / most * machines / memory : 0);
	demand->price_device = (float)(devices > 0 ? of_devices / most * machines / devices : 0);
}

static double value_of(const struct demand *demand, const struct request *request)
{
	return demand->price_cpu * (double)request->amounts.of[RESOURCE_CPU] +
	       demand->price_memory * (double)request->amounts.of[RESOURCE_MEMORY] / MIB +
	       demand->price_device * request->device_count * request->device_milli;
}

/* ---- the sketch ---- */

static uint64_t half_octave(double x)
{
	return x > 0 ? (uint64_t)(int64_t)(floor(2 * log2(x)) + 256) & 1023 : 0;
}

/* Requests with equal keys are alike. */
static uint64_t key_of(const struct request *request)
{
	double cpu = (double)request->amounts.of[RESOURCE_CPU];
	double memory = (double)request->amounts.of[RESOURCE_MEMORY];
	uint64_t key = half_octave(cpu) << 10 | half_octave(memory / (cpu > 0 ? cpu : 1));

	key = key << 5 | request->device_count;
	key = key << 10 | (request->device_count ? (uint64_t)request->device_milli : 0);
	return key << 20 | (request->device_model & 0xfffff);
}

static int by_key(const void *a, const void *b)
{
	const struct demand_sum *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->shape > y->shape) - (x->shape < y->shape);
}

static int by_weight(const void *a, const void *b)
{
	const struct demand_sum *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return (x->shape > y->shape) - (x->shape < y->shape);
}

/* Sums of what is alike, the heaviest first. */
static size_t sum_up(struct cell *cell)
{
	struct demand_sum *sums = cell->demand.sums;
	size_t count = 0, kept = 0;

	for (size_t s = 0; s < cell->shape_count; s++) {
		const struct shape *shape = &cell->shapes[s];
		double weight = (double)shape->tasks * value_of(&cell->demand, &shape->request);

		if (weight > 0)
			sums[count++] = (struct demand_sum){ key_of(&shape->request), (uint32_t)s,
							     weight, weight };
	}
	qsort(sums, count, sizeof(*sums), by_key);
	for (size_t i = 0; i < count; i++) {
		struct demand_sum *into = kept ? &sums[kept - 1] : NULL;

		if (!into || into->key != sums[i].key) {
			sums[kept++] = sums[i];
			continue;
		}
		into->weight += sums[i].weight;
		if (sums[i].heaviest > into->heaviest) {
			into->heaviest = sums[i].heaviest;
			into->shape = sums[i].shape;
		}
	}
	qsort(sums, kept, sizeof(*sums), by_weight);
	return kept;
}

static float inverse(double amount)
{
	/* What asks for nothing of a resource is never held up by it. */
	return amount > 0 ? (float)(1 / amount) : 1e9f;
}

static void put_plain(struct demand *demand, unsigned at, const struct request *request,
		      double chance)
{
	demand->inverse_cpu[at] = inverse((double)request->amounts.of[RESOURCE_CPU]);
	demand->inverse_memory[at] = inverse((double)request->amounts.of[RESOURCE_MEMORY] / MIB);
	demand->chance[at] = (float)chance;
	demand->gain[at] = (float)(chance * value_of(demand, request));
}

static void put_device(struct demand *demand, unsigned at, const struct request *request,
		       double chance)
{
	demand->device[at] = (struct demand_device){
		.inverse_cpu = inverse((double)request->amounts.of[RESOURCE_CPU]),
		.inverse_memory = inverse((double)request->amounts.of[RESOURCE_MEMORY] / MIB),
		.gain = (float)(chance * value_of(demand, request)),
		.chance = (float)chance,
		.count = request->device_count,
		.milli = request->device_milli,
		.model = request->device_model,
	};
}

static void fill(struct cell *cell, size_t count)
{
	struct demand *demand = &cell->demand;
	unsigned plain = 0;
	double total = 0;

	demand->device_count = 0;
	for (size_t i = 0; i < count; i++)
		total += demand->sums[i].weight;
	for (size_t i = 0; i < count; i++) {
		const struct request *request = &cell->shapes[demand->sums[i].shape].request;
		double chance = demand->sums[i].weight / total;

		if (!request->device_count && plain < DEMAND_PLAIN)
			put_plain(demand, plain++, request, chance);
		else if (request->device_count && demand->device_count < DEMAND_DEVICES)
			put_device(demand, demand->device_count++, request, chance);
	}
	for (; plain < DEMAND_PLAIN; plain++)
		demand->inverse_cpu[plain] = demand->inverse_memory[plain] = demand->chance[plain] =
			demand->gain[plain] = 0;
}

void demand_refresh(struct cell *cell)
{
	struct demand *demand = &cell->demand;

	if (demand->epoch && demand->changes < REFRESH_LEAST + demand->tasks / REFRESH_PART)
		return;
	demand->changes = 0;
	demand->epoch++;
	set_prices(cell);
	fill(cell, sum_up(cell));
}
