/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/score.h"

#include <math.h>

#include "scheduler/core/spread.h"
#include "scheduler/core/strand.h"

/* What would be left of each resource of the machine, as a part of its capacity. */
struct left {
	float part[3], before[3];
	int count;
};

static void add_left(struct left *left, int64_t capacity, int64_t before, int64_t after)
{
	if (capacity <= 0)
		return;
	left->before[left->count] = (float)before / (float)capacity;
	left->part[left->count++] = (float)after / (float)capacity;
}

static void look(const struct cell *cell, const struct request *request, uint32_t machine,
		 struct left *ret)
{
	const struct machine *m = &cell->machines[machine];
	const struct kind *kind = cell->kinds[m->kind];
	int64_t devices = 0;

	ret->count = 0;
	for (int r = RESOURCE_CPU; r <= RESOURCE_MEMORY; r++)
		add_left(ret, kind->capacity.of[r], m->free.of[r],
			 m->free.of[r] - request->amounts.of[r]);
	for (unsigned d = 0; d < kind->device_count; d++)
		devices += cell->more[machine].device_free[d];
	add_left(ret, (int64_t)kind->device_count * DEVICE_WHOLE, devices,
		 devices - (int64_t)request->device_count * request->device_milli);
}

static float sum(const struct left *left)
{
	float s = 0;

	for (int i = 0; i < left->count; i++)
		s += left->part[i];
	return s / (float)left->count;
}

/* The widest distance between two resources. */
static float uneven(const struct left *left)
{
	float least = left->part[0], most = left->part[0];

	for (int i = 1; i < left->count; i++) {
		least = fminf(least, left->part[i]);
		most = fmaxf(most, left->part[i]);
	}
	return most - least;
}

static float powers(const float *part, int count)
{
	float s = 0;

	for (int i = 0; i < count; i++)
		s += exp2f(3.3219281f * part[i]); /* 10 to the part */
	return s;
}

static float e_pvm(const struct left *left)
{
	float used_before[3], used_after[3];

	for (int i = 0; i < left->count; i++) {
		used_before[i] = 1 - left->before[i];
		used_after[i] = 1 - left->part[i];
	}
	return powers(used_after, left->count) - powers(used_before, left->count);
}

/* Which device a share is cut from matters as much as on which machine: the one that strands least
 * is taken. Devices with as much free are one choice. */
static float by_device(struct cell *cell, const struct request *request, uint32_t machine,
		       struct grip *grip)
{
	const uint16_t *free = cell->more[machine].device_free;
	float best = strand_after(cell, machine, request, grip), score;
	unsigned count = cell->kinds[cell->machines[machine].kind]->device_count;
	struct grip other = *grip;

	for (unsigned d = 0; d < count; d++) {
		unsigned same = 0;

		while (free[same] != free[d])
			same++;
		if (free[d] < request->device_milli || same < d || grip->devices & 1u << d)
			continue;
		other.devices = (uint16_t)(1u << d);
		score = strand_after(cell, machine, request, &other);
		if (score < best) {
			best = score;
			grip->devices = other.devices;
		}
	}
	return best;
}

static bool takes_share(const struct request *request)
{
	return request->device_count == 1 && request->device_milli < DEVICE_WHOLE;
}

static float by_strand(struct cell *cell, const struct request *request, uint32_t machine,
		       struct grip *grip)
{
	return (takes_share(request) ? by_device(cell, request, machine, grip)
				     : strand_after(cell, machine, request, grip)) -
	       strand_of(cell, machine);
}

static float by_policy(struct cell *cell, const struct request *request, uint32_t machine)
{
	struct left left;

	look(cell, request, machine, &left);
	if (!left.count)
		return 0;
	switch (cell->options.policy) {
	case POLICY_WORST_FIT:
		return -sum(&left);
	case POLICY_E_PVM:
		return e_pvm(&left);
	case POLICY_HYBRID:
		return sum(&left) + uneven(&left);
	case POLICY_NOMAD:
		return powers(left.part, left.count);
	case POLICY_KUBERNETES:
		return uneven(&left) - sum(&left);
	default:
		return sum(&left);
	}
}

/* A wish that is not met (a soft constraint, a soft rule) weighs like a tenth of a machine, an
 * image that has to be fetched like half of that. */
#define UNMET 0.1f
#define NO_IMAGE 0.05f

static bool holds_image(const struct cell *cell, const struct class *class, uint32_t machine)
{
	uint32_t alloc = class->set ? cell->more[machine].alloc : NONE;

	if (alloc != NONE)
		machine = cell->tasks[alloc].machine;
	return map_get(&cell->image_at, (uint64_t) class->image << 32 | machine) != MAP_NONE;
}

static float wishes(const struct cell *cell, const struct class *class, uint32_t machine)
{
	float cost = UNMET * (float)fit_unmet(cell, class, machine);

	cost += UNMET * spread_unmet(cell, class, machine);
	if (class->image && cell->image_at.count && !holds_image(cell, class, machine))
		cost += NO_IMAGE;
	return cost;
}

float score_at_least(struct cell *cell, uint32_t machine)
{
	/* Nothing is left stranded, at best; a hundredth covers what the rounding of copies does.
	 */
	return cell->options.policy == POLICY_STRAND ? -strand_of(cell, machine) - 0.01f : -1e9f;
}

float score_of(struct cell *cell, const struct class *class, uint32_t machine, struct grip *grip)
{
	float score = cell->options.policy == POLICY_STRAND
			      ? by_strand(cell, &class->request, machine, grip)
			      : by_policy(cell, &class->request, machine);

	if (class->per_machine)
		score += wishes(cell, class, machine);
	return score;
}

bool score_is_strand(const struct cell *cell, const struct class *class)
{
	return cell->options.policy == POLICY_STRAND && !class->per_machine &&
	       !takes_share(&class->request);
}
