/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/kind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/fit.h"
#include "scheduler/core/index.h"

static const char *const resource_names[RESOURCE_COUNT] = { "CPU", "memory", "disk", "ports" };

static int check_spec(const struct cell *cell, const struct machine_spec *spec, struct err *err)
{
	const char *name = spec->name ? spec->name : "";

	if (!*name)
		return err_say(err, EINVAL, "a machine needs a name");
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (spec->capacity.of[r] < 0 || spec->capacity.of[r] > AMOUNT_MAX)
			return err_say(err, ERANGE,
				       "machine %s: %" PRId64 " is no capacity of %s (0 to %" PRId64
				       ")",
				       name, spec->capacity.of[r], resource_names[r], AMOUNT_MAX);
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (cell->capacity.of[r] > AMOUNT_SUM_MAX - spec->capacity.of[r])
			return err_say(err, ERANGE, "machine %s: too much %s for one cell", name,
				       resource_names[r]);
	if (spec->first_port + spec->capacity.of[RESOURCE_PORTS] > 65536)
		return err_say(err, ERANGE, "machine %s: %" PRId64 " ports from %u on are too many",
			       name, spec->capacity.of[RESOURCE_PORTS], spec->first_port);
	if (spec->node_count > MACHINE_NODES_MAX)
		return err_say(err, ERANGE, "machine %s: more than %d NUMA nodes", name,
			       MACHINE_NODES_MAX);
	if (spec->device_count > MACHINE_DEVICES_MAX)
		return err_say(err, ERANGE, "machine %s: more than %d devices", name,
			       MACHINE_DEVICES_MAX);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static uint64_t hash_kind(const struct kind *kind)
{
	uint64_t h = hash_bytes(&kind->capacity, sizeof(kind->capacity), kind->device_model);

	h = hash_bytes(kind->node, sizeof(kind->node),
		       h ^ kind->device_count ^ (uint64_t)kind->set << 8);
	return hash_bytes(kind->attributes, kind->attribute_count * sizeof(*kind->attributes), h);
}

static bool same_kind(const struct kind *a, const struct kind *b)
{
	return amounts_equal(&a->capacity, &b->capacity) && a->node_count == b->node_count &&
	       a->device_count == b->device_count && a->device_model == b->device_model &&
	       a->set == b->set && memcmp(a->node, b->node, sizeof(a->node)) == 0 &&
	       a->attribute_count == b->attribute_count &&
	       (!a->attribute_count || memcmp(a->attributes, b->attributes,
					      a->attribute_count * sizeof(*a->attributes)) == 0);
}

static struct kind *kind_free(struct kind *kind)
{
	arena_free(kind->lists);
	free(kind->attributes);
	free(kind);
	return NULL;
}

void kinds_deinit(struct cell *cell)
{
	for (size_t k = 0; k < cell->kind_count; k++)
		kind_free(cell->kinds[k]);
	free(cell->kinds);
	free(cell->search);
}

static int fill_kind(struct cell *cell, const struct machine_spec *spec, struct kind *kind)
{
	kind->capacity = spec->capacity;
	kind->node_count = spec->node_count;
	kind->device_count = spec->device_count;
	for (unsigned n = 0; n < spec->node_count; n++) {
		kind->node[n].cpu = spec->node[n].of[RESOURCE_CPU];
		kind->node[n].memory = spec->node[n].of[RESOURCE_MEMORY];
	}
	kind->attributes = calloc(spec->attribute_count + 1, sizeof(*kind->attributes));
	if (!kind->attributes ||
	    symbol_intern(&cell->symbols, spec->device_model, &kind->device_model) < 0)
		return -ENOMEM;
	kind->attribute_count = spec->attribute_count;
	for (size_t a = 0; a < spec->attribute_count; a++) {
		struct pair *pair = &kind->attributes[a];

		if (symbol_intern(&cell->symbols, spec->attributes[a].key, &pair->key) < 0 ||
		    symbol_intern(&cell->symbols, spec->attributes[a].value, &pair->value) < 0)
			return -ENOMEM;
	}
	qsort(kind->attributes, kind->attribute_count, sizeof(*kind->attributes), by_key);
	index_scale(kind);
	return 0;
}

/* In the place of one that is free; the classes forget what they knew of that. Only what runs in a
 * set can ever be in the rooms of it. */
static int reuse_kind(struct cell *cell, struct kind *kind, uint64_t key, uint32_t at)
{
	int r = map_put(&cell->kind_of, key, at);

	if (r < 0)
		return r;
	kind_free(cell->kinds[at]);
	cell->kinds[at] = kind;
	for (size_t c = 0; c < cell->class_count; c++) {
		struct class *class = &cell->classes[c];

		if (at < class->eligible_count)
			class->eligible[at] =
				class->set == kind->set ? fit_kind_first(cell, class, at) : 0;
	}
	return 0;
}

/* A free one; of rooms for rooms, since rooms that are free keep theirs. NONE. */
static uint32_t free_kind(struct cell *cell, const struct kind *kind)
{
	for (size_t k = cell->kind_hole; k < cell->kind_count; k++)
		if (cell->kinds[k]->free && !cell->kinds[k]->set == !kind->set)
			return (uint32_t)k;
	return NONE;
}

static int add_kind(struct cell *cell, struct kind *kind, uint64_t key, uint32_t *ret)
{
	struct index_part *search;
	int r;

	cell->made++;
	*ret = free_kind(cell, kind);
	if (*ret != NONE)
		return reuse_kind(cell, kind, key, *ret);
	*ret = (uint32_t)cell->kind_count;
	r = state_grow(cell->kinds, cell->kind_count, cell->kind_size);
	if (r < 0)
		return r;
	search = reallocarray(cell->search, cell->kind_size, sizeof(*search));
	if (!search)
		return -ENOMEM;
	cell->search = search;
	r = map_put(&cell->kind_of, key, (uint32_t)cell->kind_count);
	if (r < 0)
		return r;
	cell->kinds[cell->kind_count++] = kind;
	return 0;
}

void kinds_sweep(struct cell *cell)
{
	map_clear(&cell->kind_of);
	cell->kind_hole = cell->kind_count;
	for (size_t k = cell->kind_count; k-- > 0;) {
		struct kind *kind = cell->kinds[k];
		uint64_t key;

		if (!kind->machines) {
			kind->free = true;
			kind->set = kind->set ? NONE : 0;
		}
		if (kind->free) {
			cell->kind_hole = k;
			continue;
		}
		for (key = hash_kind(kind); map_get(&cell->kind_of, key) != MAP_NONE; key++)
			;
		map_put(&cell->kind_of, key, (uint32_t)k);
	}
}

int kind_find(struct cell *cell, const struct machine_spec *spec, uint32_t set, uint32_t *ret)
{
	struct kind *kind = calloc(1, sizeof(*kind));
	uint64_t key;
	int r = kind ? fill_kind(cell, spec, kind) : -ENOMEM;

	if (r < 0)
		goto fail;
	kind->set = set;
	for (key = hash_kind(kind);; key++) {
		*ret = map_get(&cell->kind_of, key);
		if (*ret == MAP_NONE || same_kind(cell->kinds[*ret], kind))
			break;
	}
	if (*ret != MAP_NONE) {
		kind_free(kind);
		return 0;
	}
	r = add_kind(cell, kind, key, ret);
	if (r == 0)
		return 0;
fail:
	if (kind)
		kind_free(kind);
	return r;
}

static int intern_domains(struct cell *cell, const struct machine_spec *spec, uint32_t *domain)
{
	const char *names[DOMAIN_COUNT] = { spec->name, spec->rack ? spec->rack : spec->name,
					    spec->power ? spec->power : spec->name };

	for (int d = 0; d < DOMAIN_COUNT; d++)
		if (symbol_intern(&cell->symbols, names[d], &domain[d]) < 0)
			return -ENOMEM;
	return 0;
}

static int grow_machines(struct cell *cell)
{
	size_t size = cell->machine_size ? cell->machine_size * 2 : 64;
	struct machine *machines;
	struct machine_more *more;

	if (cell->machine_count < cell->machine_size)
		return 0;
	more = reallocarray(cell->more, size, sizeof(*more));
	if (!more)
		return -ENOMEM;
	cell->more = more;
	machines = aligned_alloc(_Alignof(struct machine), size * sizeof(*machines));
	if (!machines)
		return -ENOMEM;
	if (cell->machine_count)
		memcpy(machines, cell->machines, cell->machine_count * sizeof(*machines));
	free(cell->machines);
	cell->machines = machines;
	cell->machine_size = size;
	return 0;
}

static void fill_machine(struct cell *cell, uint32_t machine, uint32_t kind)
{
	struct machine_more *more = &cell->more[machine];
	struct kind *k = cell->kinds[kind];

	cell->machines[machine] = (struct machine){ .free = k->capacity, .kind = kind };
	more->tasks = NONE;
	memcpy(more->node_free, k->node, sizeof(more->node_free));
	for (unsigned d = 0; d < k->device_count; d++)
		more->device_free[d] = DEVICE_WHOLE;
}

static int new_machine(struct cell *cell, uint32_t set, uint32_t *ret)
{
	int r;

	*ret = cell->free_rooms;
	if (set && *ret != NONE) {
		cell->free_rooms = cell->more[*ret].followers;
		return 0;
	}
	r = grow_machines(cell);
	if (r == 0)
		*ret = (uint32_t)cell->machine_count++;
	return r;
}

int kind_add_machine(struct cell *cell, const struct machine_spec *spec, uint32_t set,
		     const struct machine_more *more, uint32_t *ret_machine)
{
	uint32_t kind;
	int r = kind_find(cell, spec, set, &kind);

	if (r == 0)
		r = new_machine(cell, set, ret_machine);
	if (r < 0)
		return r;
	cell->more[*ret_machine] = *more;
	fill_machine(cell, *ret_machine, kind);
	cell->machines[*ret_machine].state = MACHINE_DOWN;
	cell->kinds[kind]->machines++;
	index_grow(cell, cell->kinds[kind]);
	return 0;
}

int cell_add_machine(struct cell *cell, const struct machine_spec *spec, uint32_t *ret_machine,
		     struct err *err)
{
	struct machine_more more = { .alloc = NONE, .followers = NONE };
	uint32_t machine;
	int r = check_spec(cell, spec, err);

	if (r < 0)
		return r;
	if (intern_domains(cell, spec, more.domain) < 0)
		return err_set(err, ENOMEM, "add machine %s", spec->name);
	more.name = more.domain[DOMAIN_MACHINE];
	more.first_port = (uint16_t)(spec->first_port ? spec->first_port
						      : 65536 - spec->capacity.of[RESOURCE_PORTS]);
	if (map_get(&cell->machine_of, more.name) != MAP_NONE)
		return err_say(err, EEXIST, "there is a machine called %s already", spec->name);
	if (map_put(&cell->machine_of, more.name, (uint32_t)cell->machine_count) < 0)
		return err_set(err, ENOMEM, "add machine %s", spec->name);
	if (kind_add_machine(cell, spec, 0, &more, &machine) < 0) {
		map_remove(&cell->machine_of, more.name);
		return err_set(err, ENOMEM, "add machine %s", spec->name);
	}
	cell_set_machine(cell, machine, MACHINE_UP);
	if (ret_machine)
		*ret_machine = machine;
	return 0;
}

int cell_set_image(struct cell *cell, uint32_t machine, const char *image, bool held,
		   struct err *err)
{
	uint32_t symbol;
	int r = symbol_intern(&cell->symbols, image, &symbol);

	cell->made++;
	if (r == 0 && held)
		r = map_put(&cell->image_at, (uint64_t)symbol << 32 | machine, 1);
	if (r < 0)
		return err_set(err, ENOMEM, "note the image %s", image);
	if (!held)
		map_remove(&cell->image_at, (uint64_t)symbol << 32 | machine);
	return 0;
}

uint32_t kind_attribute(const struct kind *kind, uint32_t key)
{
	for (size_t a = 0; a < kind->attribute_count; a++)
		if (kind->attributes[a].key == key)
			return kind->attributes[a].value;
	return 0;
}

int domain_of_key(const struct cell *cell, uint32_t key)
{
	static const char *const keys[DOMAIN_COUNT] = { "machine", "rack", "power" };

	for (int d = 0; d < DOMAIN_COUNT; d++)
		if (strcmp(symbol_name(&cell->symbols, key), keys[d]) == 0)
			return d;
	return -1;
}
