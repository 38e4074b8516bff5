/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/fit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/claim.h"
#include "scheduler/core/index.h"
#include "scheduler/core/job.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/ports.h"
#include "scheduler/core/spread.h"

void room_of(const struct cell *cell, uint32_t machine, struct room *ret)
{
	const struct machine_more *more = &cell->more[machine];

	ret->free = cell->machines[machine].free;
	memcpy(ret->device_free, more->device_free, sizeof(ret->device_free));
	memcpy(ret->node_free, more->node_free, sizeof(ret->node_free));
}

static bool compare(const struct class_constraint *c, uint32_t value)
{
	switch ((enum comparison)c->comparison) {
	case COMPARE_EQUAL:
		return value == c->value;
	case COMPARE_UNEQUAL:
		return value != c->value;
	case COMPARE_EXISTS:
		return value != 0;
	case COMPARE_ABSENT:
		return value == 0;
	}
	return false;
}

/* ---- kinds ---- */

static bool attributes_fit(const struct class *class, const struct kind *kind)
{
	for (size_t i = 0; i < class->constraint_count; i++) {
		const struct class_constraint *c = &class->constraints[i];

		if (!c->soft && c->domain < 0 && !compare(c, kind_attribute(kind, c->key)))
			return false;
	}
	return true;
}

enum fit fit_kind_reason(const struct cell *cell, const struct class *class, uint32_t kind)
{
	const struct kind *k = cell->kinds[kind];
	const struct request *request = &class->request;
	struct room empty = { .free = k->capacity };
	struct grip grip;

	if (k->set != class->set || (!k->set && !attributes_fit(class, k)))
		return FIT_CONSTRAINT;
	if (request->device_count && request->device_model &&
	    request->device_model != k->device_model)
		return FIT_MODEL;
	memcpy(empty.node_free, k->node, sizeof(empty.node_free));
	for (unsigned d = 0; d < k->device_count; d++)
		empty.device_free[d] = DEVICE_WHOLE;
	return fit_room(k, request, &empty, &grip) == FIT_YES ? FIT_YES : FIT_CAPACITY;
}

uint16_t fit_kind_first(const struct cell *cell, const struct class *class, uint32_t kind)
{
	return fit_kind_reason(cell, class, kind) == FIT_YES
		       ? (uint16_t)(FITS | index_first(cell->kinds[kind], &class->request))
		       : 0;
}

int fit_kinds(struct cell *cell, struct class *class)
{
	uint16_t *more;

	if (class->eligible_count == cell->kind_count)
		return 0;
	more = reallocarray(class->eligible, cell->kind_count, sizeof(*more));
	if (!more)
		return -ENOMEM;
	class->eligible = more;
	for (size_t k = class->eligible_count; k < cell->kind_count; k++)
		more[k] = fit_kind_first(cell, class, (uint32_t)k);
	class->eligible_count = cell->kind_count;
	return 0;
}

bool fit_kind(struct cell *cell, struct class *class, uint32_t kind)
{
	if (kind < class->eligible_count)
		return class->eligible[kind] != 0;
	return fit_kind_reason(cell, class, kind) == FIT_YES;
}

/* ---- machines ---- */

/* What a constraint asks about; of a room it is its host's. */
static uint32_t value_on(const struct cell *cell, const struct class *class,
			 const struct class_constraint *c, uint32_t machine)
{
	uint32_t alloc;

	if (c->domain >= 0)
		return cell->more[machine].domain[c->domain];
	/* Only what runs in a set is looked up by its room: for the others the machine's second
	 * half stays out of the cache. */
	alloc = class->set ? cell->more[machine].alloc : NONE;
	if (alloc != NONE)
		machine = cell->tasks[alloc].machine;
	return machine == NONE ? 0
			       : kind_attribute(cell->kinds[cell->machines[machine].kind], c->key);
}

bool fit_domains(const struct cell *cell, const struct class *class, uint32_t machine)
{
	for (size_t i = 0; i < class->constraint_count; i++) {
		const struct class_constraint *c = &class->constraints[i];

		if (!c->soft && (c->domain >= 0 || class->set) &&
		    !compare(c, value_on(cell, class, c, machine)))
			return false;
	}
	return true;
}

unsigned fit_unmet(const struct cell *cell, const struct class *class, uint32_t machine)
{
	unsigned unmet = 0;

	for (size_t i = 0; i < class->constraint_count; i++) {
		const struct class_constraint *c = &class->constraints[i];

		if (!c->soft)
			continue;
		unmet += !compare(c, value_on(cell, class, c, machine));
	}
	return unmet;
}

/* A share goes to the device that it leaves least on; whole ones are taken from the front. */
static bool grip_devices(unsigned device_count, const struct request *request,
			 const uint16_t *device_free, struct grip *ret)
{
	unsigned found = 0, least = DEVICE_WHOLE + 1;

	ret->devices = 0;
	if (request->device_count == 1) {
		for (unsigned d = 0; d < device_count; d++)
			if (device_free[d] >= request->device_milli && device_free[d] < least) {
				least = device_free[d];
				ret->devices = (uint16_t)(1u << d);
			}
		return ret->devices;
	}
	for (unsigned d = 0; d < device_count && found < request->device_count; d++)
		if (device_free[d] >= request->device_milli) {
			ret->devices |= (uint16_t)(1u << d);
			found++;
		}
	return found == request->device_count;
}

/* Best fit by CPU among the nodes, one after the other until there are enough. */
static bool grip_nodes(unsigned node_count, const struct request *request,
		       const struct node_room *node_free, struct grip *ret)
{
	int64_t cpu = request->amounts.of[RESOURCE_CPU] / request->nodes;
	int64_t memory = request->amounts.of[RESOURCE_MEMORY] / request->nodes;

	ret->nodes = 0;
	for (uint32_t found = 0; found < request->nodes; found++) {
		int best = -1;

		for (unsigned n = 0; n < node_count; n++)
			if (!(ret->nodes & 1u << n) && node_free[n].cpu >= cpu &&
			    node_free[n].memory >= memory &&
			    (best < 0 || node_free[n].cpu < node_free[best].cpu))
				best = (int)n;
		if (best < 0)
			return false;
		ret->nodes |= (uint8_t)(1u << best);
	}
	return true;
}

enum fit fit_room(const struct kind *kind, const struct request *request, const struct room *room,
		  struct grip *ret)
{
	*ret = (struct grip){ 0 };
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (request->amounts.of[r] > room->free.of[r])
			return FIT_CPU + (enum fit)r;
	if (request->device_count &&
	    !grip_devices(kind->device_count, request, room->device_free, ret))
		return FIT_DEVICES;
	if (request->nodes && !grip_nodes(kind->node_count, request, room->node_free, ret))
		return FIT_NODES;
	return FIT_YES;
}

static bool production_fits(const struct cell *cell, const struct class *class, uint32_t machine)
{
	struct amounts free = cell->machines[machine].free;

	amounts_subtract(&free, &cell->more[machine].held_back);
	return amounts_fit(&class->request.amounts, &free);
}

enum fit fit_machine(const struct cell *cell, const struct class *class, uint32_t machine,
		     struct grip *ret)
{
	const struct machine *m = &cell->machines[machine];
	const struct machine_more *more = &cell->more[machine];
	const struct request *request = &class->request;

	*ret = (struct grip){ 0 };
	if (m->state != MACHINE_UP)
		return FIT_STATE;
	if (claim_bars(cell, class, machine))
		return FIT_CLAIMED;
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (request->amounts.of[r] > m->free.of[r])
			return FIT_CPU + (enum fit)r;
	if (m->reclaimed && class->priority >= PRIORITY_PRODUCTION &&
	    !production_fits(cell, class, machine))
		return FIT_CPU;
	if (request->device_count &&
	    !grip_devices(cell->kinds[m->kind]->device_count, request, more->device_free, ret))
		return FIT_DEVICES;
	if (request->nodes &&
	    !grip_nodes(cell->kinds[m->kind]->node_count, request, more->node_free, ret))
		return FIT_NODES;
	if (class->per_machine && !fit_domains(cell, class, machine))
		return FIT_CONSTRAINT;
	if (class->port_count && !ports_are_free(cell, class, machine))
		return FIT_PORTS;
	if (class->groups[0] != NONE && !spread_allows(cell, class, machine))
		return FIT_SPREAD;
	return FIT_YES;
}
