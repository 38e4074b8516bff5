/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/strand.h"

#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* Four lanes: the compiler makes SSE2 or NEON of it. */
typedef float lanes __attribute__((vector_size(16)));
typedef int32_t mask __attribute__((vector_size(16)));

static inline lanes least(lanes a, lanes b)
{
#ifdef __SSE__
	return _mm_min_ps(a, b);
#else
	mask less = a < b;

	return (lanes)((less & (mask)a) | (~less & (mask)b));
#endif
}

static inline lanes load(const float *p)
{
	return *(const lanes *)__builtin_assume_aligned(p, sizeof(lanes));
}

/* What requests without devices can use of this much CPU and memory, doubled. */
static inline float usable_plain(const struct demand *demand, float cpu, float memory, float value)
{
	const lanes one = { 1, 1, 1, 1 };
	lanes sum = { 0 };

	for (int k = 0; k < DEMAND_PLAIN; k += 4) {
		lanes by_cpu = load(&demand->inverse_cpu[k]) * cpu;
		lanes by_memory = load(&demand->inverse_memory[k]) * memory;
		/* Not to miss 8 * (1/8) by a bit. */
		lanes fits = least(by_cpu, by_memory) + 1e-4f;
		lanes copies = __builtin_convertvector(__builtin_convertvector(fits, mask), lanes);

		sum += copies * load(&demand->gain[k]);
		sum += (lanes)((copies >= one) & (mask)(load(&demand->chance[k]) * value));
	}
	return sum[0] + sum[1] + sum[2] + sum[3];
}

static float usable_device(const struct demand_device *k, unsigned count,
			   const uint16_t *device_free, float cpu, float memory, float value,
			   float price)
{
	unsigned whole = 0, left = 0, groups;
	float by_cpu = cpu * k->inverse_cpu, by_memory = memory * k->inverse_memory;
	float copies = (by_cpu < by_memory ? by_cpu : by_memory) + 1e-4f, by_device;

	if (copies < 1)
		return 0;
	for (unsigned d = 0; d < count; d++)
		if (device_free[d] >= k->milli) {
			whole += device_free[d] / k->milli;
			left += device_free[d];
		}
	groups = whole / k->count;
	if (groups < 1)
		return 0;
	by_device = (float)groups;
	copies = by_device < copies ? by_device : (float)(int)copies;
	return copies * k->gain + k->chance * (value + price * (float)left);
}

/* On a machine without devices; always_inline for the search, which ends up here most of the time.
 */
static inline __attribute__((always_inline)) float stranded_plain(const struct demand *demand,
								  float cpu, float memory)
{
	float value = demand->price_cpu * cpu + demand->price_memory * memory;

	return value - usable_plain(demand, cpu, memory, value) / 2;
}

static float stranded_device(const struct demand *demand, const struct kind *kind, float cpu,
			     float memory, const uint16_t *device_free)
{
	float value = demand->price_cpu * cpu + demand->price_memory * memory;
	float usable = usable_plain(demand, cpu, memory, value), all = value;

	for (unsigned d = 0; d < kind->device_count; d++)
		all += demand->price_device * device_free[d];
	for (unsigned k = 0; k < demand->device_count; k++)
		if (!demand->device[k].model || demand->device[k].model == kind->device_model)
			usable += usable_device(&demand->device[k], kind->device_count, device_free,
						cpu, memory, value, demand->price_device);
	return all - usable / 2;
}

static float mebibytes(int64_t bytes)
{
	return (float)bytes * (1.0f / (1 << 20));
}

void strand_count(const struct cell *cell, uint32_t machine)
{
	struct machine *m = &cell->machines[machine];
	const struct kind *kind = cell->kinds[m->kind];
	float cpu = (float)m->free.of[RESOURCE_CPU];
	float memory = mebibytes(m->free.of[RESOURCE_MEMORY]);

	m->strand = kind->device_count ? stranded_device(&cell->demand, kind, cpu, memory,
							 cell->more[machine].device_free)
				       : stranded_plain(&cell->demand, cpu, memory);
	m->strand_epoch = cell->demand.epoch;
}

static __attribute__((noinline)) float after_devices(const struct cell *cell, uint32_t machine,
						     const struct request *request,
						     const struct grip *grip, float cpu,
						     float memory)
{
	const struct kind *kind = cell->kinds[cell->machines[machine].kind];
	uint16_t after[MACHINE_DEVICES_MAX];

	memcpy(after, cell->more[machine].device_free, sizeof(after));
	for (unsigned d = 0; d < kind->device_count; d++)
		if (grip->devices & 1u << d)
			after[d] = (uint16_t)(after[d] - request->device_milli);
	return stranded_device(&cell->demand, kind, cpu, memory, after);
}

float strand_after(const struct cell *cell, uint32_t machine, const struct request *request,
		   const struct grip *grip)
{
	const struct machine *m = &cell->machines[machine];
	float cpu = (float)(m->free.of[RESOURCE_CPU] - request->amounts.of[RESOURCE_CPU]);
	float memory =
		mebibytes(m->free.of[RESOURCE_MEMORY] - request->amounts.of[RESOURCE_MEMORY]);

	if (cell->kinds[m->kind]->device_count)
		return after_devices(cell, machine, request, grip, cpu, memory);
	return stranded_plain(&cell->demand, cpu, memory);
}

/* ---- totals ---- */

/* What one representative cannot use, as the first view has it. */
static void add_stranded(const struct machine *m, float inverse_cpu, float inverse_memory,
			 float chance, double *cpu, double *memory)
{
	float free_cpu = (float)m->free.of[RESOURCE_CPU];
	float free_memory = mebibytes(m->free.of[RESOURCE_MEMORY]);
	float by_cpu = free_cpu * inverse_cpu, by_memory = free_memory * inverse_memory;
	float copies = (float)(int)((by_cpu < by_memory ? by_cpu : by_memory) + 1e-4f);

	*cpu += (double)(chance * (free_cpu - copies / inverse_cpu));
	*memory += (double)(chance * (free_memory - copies / inverse_memory));
}

void strand_totals(const struct cell *cell, double *ret_cpu_milli, double *ret_memory_bytes)
{
	const struct demand *demand = &cell->demand;
	double cpu = 0, memory = 0;

	for (size_t i = 0; i < cell->machine_count; i++) {
		const struct machine *m = &cell->machines[i];

		if (is_room(cell, (uint32_t)i))
			continue;
		for (int k = 0; m->state == MACHINE_UP && k < DEMAND_PLAIN; k++)
			if (demand->chance[k] > 0)
				add_stranded(m, demand->inverse_cpu[k], demand->inverse_memory[k],
					     demand->chance[k], &cpu, &memory);
		for (unsigned k = 0; m->state == MACHINE_UP && k < demand->device_count; k++)
			add_stranded(m, demand->device[k].inverse_cpu,
				     demand->device[k].inverse_memory, demand->device[k].chance,
				     &cpu, &memory);
	}
	*ret_cpu_milli = cpu;
	*ret_memory_bytes = memory * (1 << 20);
}
