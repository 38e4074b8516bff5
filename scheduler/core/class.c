/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/class.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/demand.h"
#include "scheduler/core/fit.h"
#include "scheduler/core/kind.h"
#include "scheduler/core/preempt.h"
#include "scheduler/core/queue.h"
#include "scheduler/core/spread.h"

/* ---- shapes ---- */

static int find_shape(struct cell *cell, const struct request *request, uint32_t *ret)
{
	uint64_t key = hash_bytes(request, sizeof(*request), 0);
	int r;

	for (;; key++) {
		*ret = map_get(&cell->shape_of, key);
		if (*ret == MAP_NONE)
			break;
		if (memcmp(&cell->shapes[*ret].request, request, sizeof(*request)) == 0)
			return 0;
	}
	while (cell->shape_hole < cell->shape_count && !cell->shapes[cell->shape_hole].free)
		cell->shape_hole++;
	*ret = (uint32_t)cell->shape_hole;
	r = *ret < cell->shape_count
		    ? 0
		    : state_grow(cell->shapes, cell->shape_count, cell->shape_size);
	if (r < 0 || (r = demand_reserve(cell)) < 0 ||
	    (r = map_put(&cell->shape_of, key, *ret)) < 0)
		return r;
	cell->made++;
	cell->shape_count += *ret == cell->shape_count;
	cell->shapes[*ret] = (struct shape){ .request = *request };
	return 0;
}

/* ---- classes ---- */

static int copy_constraints(struct cell *cell, const struct job *job, struct class *class)
{
	class->constraint_count = job->constraint_count;
	if (!job->constraint_count)
		return 0;
	class->constraints = calloc(job->constraint_count, sizeof(*class->constraints));
	if (!class->constraints)
		return -ENOMEM;
	for (size_t i = 0; i < job->constraint_count; i++) {
		const struct constraint *from = &job->constraints[i];
		struct class_constraint *to = &class->constraints[i];

		if (symbol_intern(&cell->symbols, from->key, &to->key) < 0 ||
		    symbol_intern(&cell->symbols, from->value, &to->value) < 0)
			return -ENOMEM;
		to->comparison = (uint8_t)from->comparison;
		to->soft = from->soft;
		to->domain = (int8_t)domain_of_key(cell, to->key);
		class->per_machine = class->per_machine || from->soft || to->domain >= 0;
	}
	return 0;
}

static int find_groups(struct cell *cell, const struct job *job, struct class *class)
{
	const struct spread_rule *rules[] = { &job->spread, &job->affinity };
	size_t count = 0;
	uint32_t name;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rules); i++) {
		if (rules[i]->kind == SPREAD_NONE)
			continue;
		if (rules[i]->kind == SPREAD_DIVIDED)
			class->division = rules[i]->division;
		class->per_machine = class->per_machine || rules[i]->soft;
		r = symbol_intern(&cell->symbols, rules[i]->group ? rules[i]->group : job->name,
				  &name);
		if (r == 0)
			r = spread_group(cell, rules[i], name, &class->groups[count++]);
	}
	return r;
}

static int copy_ports(const struct job *job, struct class *class)
{
	size_t size = job->host_port_count * sizeof(*class->ports);

	if (!size)
		return 0;
	class->ports = malloc(size);
	if (!class->ports)
		return -ENOMEM;
	memcpy(class->ports, job->host_ports, size);
	class->port_count = (uint32_t)job->host_port_count;
	return 0;
}

static bool same_class(const struct class *a, const struct class *b)
{
	return a->shape == b->shape && a->priority == b->priority &&
	       memcmp(a->groups, b->groups, sizeof(a->groups)) == 0 && a->division == b->division &&
	       a->gang == b->gang && a->joins == b->joins && a->set == b->set &&
	       a->image == b->image && a->port_count == b->port_count &&
	       (!a->port_count ||
		memcmp(a->ports, b->ports, a->port_count * sizeof(*a->ports)) == 0) &&
	       a->constraint_count == b->constraint_count &&
	       (!a->constraint_count || memcmp(a->constraints, b->constraints,
					       a->constraint_count * sizeof(*a->constraints)) == 0);
}

static uint64_t hash_class(const struct class *class)
{
	uint64_t h = hash_mix((uint64_t) class->shape << 32 | class->groups[0]);

	h = hash_mix(h ^ class->groups[1] ^ (uint64_t) class->image << 32);
	h = hash_mix(h ^ class->set);
	if (class->joins != NONE)
		h = hash_mix(h ^ class->joins);
	h = hash_bytes(class->ports, class->port_count * sizeof(*class->ports), h);
	h = hash_mix(h ^ ((uint64_t) class->priority << 52 ^ (uint64_t) class->gang << 20 ^
			  class->division));
	return hash_bytes(class->constraints, class->constraint_count * sizeof(*class->constraints),
			  h);
}

static void class_deinit(struct class *class)
{
	free(class->constraints);
	free(class->eligible);
	free(class->ports);
}

static int add_class(struct cell *cell, struct class *class, uint64_t key, uint32_t *ret)
{
	int r;

	while (cell->class_hole < cell->class_count &&
	       cell->classes[cell->class_hole].shape != NONE)
		cell->class_hole++;
	*ret = (uint32_t)cell->class_hole;
	r = *ret < cell->class_count
		    ? 0
		    : state_grow(cell->classes, cell->class_count, cell->class_size);

	/* Room to block it later without an allocation. */
	if (r == 0 && cell->blocked_size < cell->class_size) {
		uint32_t *more = reallocarray(cell->blocked, cell->class_size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		cell->blocked = more;
		cell->blocked_size = cell->class_size;
	}
	if (r == 0)
		r = fit_kinds(cell, class);
	if (r == 0)
		r = map_put(&cell->class_of, key, *ret);
	if (r < 0)
		return r;
	cell->made++;
	cell->class_count += *ret == cell->class_count;
	cell->classes[*ret] = *class;
	return 0;
}

/* The class that is there, or the new one; what it holds is taken over or freed. */
static int keep_class(struct cell *cell, struct class *class, uint32_t *ret)
{
	uint64_t key;
	int r;

	for (key = hash_class(class);; key++) {
		*ret = map_get(&cell->class_of, key);
		if (*ret == MAP_NONE || same_class(&cell->classes[*ret], class))
			break;
	}
	if (*ret != MAP_NONE) {
		class_deinit(class);
		return fit_kinds(cell, &cell->classes[*ret]);
	}
	r = add_class(cell, class, key, ret);
	if (r < 0)
		class_deinit(class);
	return r;
}

/* The class that differs from that one in the request, and in which it joins, alone. */
static int find_like(struct cell *cell, uint32_t class, const struct request *request,
		     uint32_t joins, uint32_t *ret)
{
	const struct class *like = &cell->classes[class];
	struct class made = { .request = *request,
			      .priority = like->priority,
			      .constraint_count = like->constraint_count,
			      .groups = { like->groups[0], like->groups[1] },
			      .division = like->division,
			      .gang = like->gang,
			      .set = like->set,
			      .joins = joins,
			      .image = like->image,
			      .port_count = like->port_count,
			      .lines = NONE,
			      .per_machine = like->per_machine };
	size_t size = like->constraint_count * sizeof(*like->constraints);
	int r = find_shape(cell, request, &made.shape);

	if (r < 0)
		return r;
	if (size) {
		made.constraints = malloc(size);
		if (!made.constraints)
			return -ENOMEM;
		memcpy(made.constraints, like->constraints, size);
	}
	if (like->port_count) {
		made.ports = malloc(like->port_count * sizeof(*made.ports));
		if (!made.ports) {
			class_deinit(&made);
			return -ENOMEM;
		}
		memcpy(made.ports, like->ports, like->port_count * sizeof(*made.ports));
	}
	return keep_class(cell, &made, ret);
}

int class_with(struct cell *cell, uint32_t class, const struct request *request, uint32_t *ret)
{
	uint32_t joins = cell->classes[class].joins;
	int r = 0;

	if (joins != NONE)
		r = find_like(cell, joins, request, NONE, &joins);
	return r < 0 ? r : find_like(cell, class, request, joins, ret);
}

int class_joining(struct cell *cell, uint32_t class, uint32_t *ret)
{
	const struct request request = cell->classes[class].request;

	return find_like(cell, class, &request, class, ret);
}

int class_find(struct cell *cell, const struct job *job, const struct request *request,
	       uint32_t *ret)
{
	struct class class = { .request = *request,
			       .priority = job->priority,
			       .groups = { NONE, NONE },
			       .per_machine = job->image,
			       .joins = NONE,
			       .lines = NONE };
	int r = 0;

	if (job->device_model && request->device_count)
		r = symbol_intern(&cell->symbols, job->device_model, &class.request.device_model);
	if (r == 0)
		r = find_shape(cell, &class.request, &class.shape);

	if (r == 0)
		r = copy_constraints(cell, job, &class);
	if (r == 0)
		r = find_groups(cell, job, &class);
	if (r == 0)
		r = copy_ports(job, &class);
	if (r == 0)
		r = symbol_intern(&cell->symbols, job->image, &class.image);
	if (r == 0)
		r = symbol_intern(&cell->symbols, job->alloc_set, &class.set);
	/* The attributes in a set are those of each alloc's host. */
	class.per_machine = class.per_machine || (class.set && class.constraint_count);
	if (r == 0 && (job->gang || job->reserves))
		r = symbol_intern(&cell->symbols, job->name, &class.gang);
	if (r == 0)
		return keep_class(cell, &class, ret);
	class_deinit(&class);
	return r;
}

void classes_deinit(struct cell *cell)
{
	for (size_t c = 0; c < cell->class_count; c++)
		class_deinit(&cell->classes[c]);
	free(cell->classes);
	free(cell->shapes);
	free(cell->groups);
	free(cell->blocked);
}

/* ---- what no task is of any more ---- */

static void sweep_shapes(struct cell *cell, const uint8_t *used)
{
	/* As many entries as there were, or fewer: nothing is allocated. */
	map_clear(&cell->shape_of);
	for (uint32_t s = 0; s < cell->shape_count; s++) {
		struct shape *shape = &cell->shapes[s];
		uint64_t key = hash_bytes(&shape->request, sizeof(shape->request), 0);

		if (!used[s])
			*shape = (struct shape){ .free = 1 };
		if (shape->free)
			continue;
		while (map_get(&cell->shape_of, key) != MAP_NONE)
			key++;
		map_put(&cell->shape_of, key, s);
	}
	cell->shape_hole = 0;
}

void classes_sweep(struct cell *cell, const uint8_t *used, uint8_t *shapes)
{
	map_clear(&cell->class_of);
	for (uint32_t c = 0; c < cell->class_count; c++) {
		struct class *class = &cell->classes[c];
		uint64_t key;

		if (!used[c] && class->shape != NONE) {
			class_unblock(cell, c);
			class_deinit(class);
			*class = (struct class){ .shape = NONE, .lines = NONE };
		}
		if (class->shape == NONE)
			continue;
		shapes[class->shape] = 1;
		for (key = hash_class(class); map_get(&cell->class_of, key) != MAP_NONE; key++)
			;
		map_put(&cell->class_of, key, c);
	}
	cell->class_hole = 0;
	sweep_shapes(cell, shapes);
}

/* ---- blocked ones ---- */

void class_block(struct cell *cell, uint32_t class)
{
	struct class *c = &cell->classes[class];

	if (c->blocked)
		return;
	c->blocked = true;
	c->blocked_at = (uint32_t)cell->blocked_count;
	cell->blocked[cell->blocked_count++] = class;
	queue_class_blocked(cell, class);
}

void class_unblock(struct cell *cell, uint32_t class)
{
	struct class *c = &cell->classes[class];
	uint32_t last;

	if (!c->blocked)
		return;
	last = cell->blocked[--cell->blocked_count];
	cell->blocked[c->blocked_at] = last;
	cell->classes[last].blocked_at = c->blocked_at;
	c->blocked = false;
	cell->depth_held -= c->depth_held;
	c->depth_held = false;
	queue_class_woken(cell, class);
}

void class_wake_all(struct cell *cell)
{
	for (size_t i = cell->blocked_count; i-- > 0;)
		class_unblock(cell, cell->blocked[i]);
}

void class_wake_held(struct cell *cell)
{
	for (size_t i = cell->blocked_count; cell->depth_held && i-- > 0;)
		if (cell->classes[cell->blocked[i]].depth_held)
			class_unblock(cell, cell->blocked[i]);
}

void class_wake(struct cell *cell, uint32_t machine)
{
	struct grip grip;

	/* From behind: an unblocked class gives its place to the last. */
	for (size_t i = cell->blocked_count; i-- > 0;) {
		struct class *class = &cell->classes[cell->blocked[i]];

		if ((fit_kind(cell, class, cell->machines[machine].kind) &&
		     fit_machine(cell, class, machine, &grip) == FIT_YES) ||
		    (!cell->options.no_preemption && preempt_might(cell, class, machine)))
			class_unblock(cell, cell->blocked[i]);
	}
}

void class_wake_group(struct cell *cell, uint32_t group)
{
	for (size_t i = cell->blocked_count; i-- > 0;)
		if (cell->classes[cell->blocked[i]].groups[0] == group ||
		    cell->classes[cell->blocked[i]].groups[1] == group)
			class_unblock(cell, cell->blocked[i]);
}
