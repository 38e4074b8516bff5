/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/index.h"
#include "scheduler/core/state.h"

#define MAGIC 0x63656c6c61723031u

/* The start of the bytes; the digest is of all that follows it. */
struct head {
	uint64_t magic, shape, digest;
};

/* Bytes on their way out, or in. The first error stays. */
struct codec {
	uint8_t *out;
	const uint8_t *in;
	size_t at, len;
	int error;
};

/* Sizes that tell one build's structures from another's. */
static uint64_t shape_of_state(void)
{
	static const uint64_t sizes[] = {
		sizeof(struct cell),	     sizeof(struct machine), sizeof(struct machine_more),
		sizeof(struct kind),	     sizeof(struct class),   sizeof(struct task),
		sizeof(struct cell_job),     sizeof(struct line),    sizeof(struct turn),
		sizeof(struct group),	     sizeof(struct shape),   sizeof(struct quota),
		offsetof(struct cell, jobs), sizeof(struct outside), offsetof(struct cell, placed),
	};

	return hash_bytes(sizes, sizeof(sizes), MAGIC);
}

static int make_space(struct codec *c, size_t len)
{
	size_t size = (c->at + len) * 2;
	uint8_t *more;

	if (c->at + len <= c->len)
		return 0;
	more = realloc(c->out, size);
	if (!more)
		return -ENOMEM;
	c->out = more;
	c->len = size;
	return 0;
}

static void raw(struct codec *c, void *data, size_t len)
{
	if (c->error || !len)
		return;
	if (!c->in)
		c->error = make_space(c, len);
	else if (len > c->len - c->at)
		c->error = -EINVAL;
	if (c->error)
		return;
	if (c->in)
		memcpy(data, c->in + c->at, len);
	else
		memcpy(c->out + c->at, data, len);
	c->at += len;
}

/* An array of `count`, with room for `size`. On the way in it is made. */
static void array(struct codec *c, void **data, size_t count, size_t size, size_t one)
{
	if (c->in && !c->error) {
		size = size < count ? count : size;
		/* Its content must be there before memory is asked for; sizes at most double. */
		if (count > (c->len - c->at) / one || size > SIZE_MAX / one / 2)
			c->error = -EINVAL;
		/* Whole cache lines, for machines. */
		else if (size && !(*data = aligned_alloc(64, (size * one + 63) / 64 * 64)))
			c->error = -ENOMEM;
		else if (size)
			memset(*data, 0, size * one);
	}
	raw(c, *data, count * one);
}

#define ARRAY(c, data, count, size) array(c, (void **)&(data), count, size, sizeof(*(data)))

static void map(struct codec *c, struct map *map)
{
	raw(c, &map->size, sizeof(map->size));
	raw(c, &map->count, sizeof(map->count));
	ARRAY(c, map->slots, map->size, map->size);
}

/* ---- parts with pointers ---- */

/* A free number has no length. */
static void symbols(struct codec *c, struct symbols *symbols)
{
	uint32_t count = (uint32_t)symbols->count;

	raw(c, &count, sizeof(count));
	for (uint32_t i = 1; i < count && !c->error; i++) {
		char *name = c->in ? NULL : symbols->names[i];
		uint32_t len = name ? (uint32_t)strlen(name) + 1 : 0;
		const char *text;

		raw(c, &len, sizeof(len));
		if (!c->in) {
			raw(c, name, len);
			continue;
		}
		text = (const char *)c->in + c->at;
		if (c->error || len > c->len - c->at || (len && text[len - 1]))
			c->error = c->error ? c->error : -EINVAL;
		else
			c->error = symbols_append(symbols, i, len ? text : NULL);
		c->at += c->error ? 0 : len;
	}
	if (c->in)
		symbols->hole = 1;
}

/* No pointer of a cell gets out, so that equal cells are equal bytes; and none comes in. */
static void one_class(struct codec *c, struct class *class)
{
	struct class bare = { 0 };

	if (!c->in)
		bare = *class;
	bare.constraints = NULL;
	bare.eligible = NULL;
	bare.ports = NULL;
	raw(c, &bare, sizeof(bare));
	if (c->in) {
		*class = bare;
		class->constraints = NULL;
		class->eligible = NULL;
		class->ports = NULL;
	}
	ARRAY(c, class->constraints, class->constraint_count, class->constraint_count);
	ARRAY(c, class->eligible, class->eligible_count, class->eligible_count);
	ARRAY(c, class->ports, class->port_count, class->port_count);
}

static void classes(struct codec *c, struct cell *cell, size_t count)
{
	struct class *made;

	if (c->in)
		ARRAY(c, cell->classes, 0, cell->class_size);
	made = cell->classes;
	/* Counted one by one: cell_free may come in between. */
	for (size_t i = 0; i < count && !c->error; i++) {
		cell->class_count = i + 1;
		one_class(c, &made[i]);
	}
}

static void list(struct codec *c, struct kind *kind, struct index_cell *cell)
{
	uint32_t count = cell->count, size = cell->size;

	raw(c, &count, sizeof(count));
	raw(c, &size, sizeof(size));
	if (c->in && !c->error && (count > (c->len - c->at) / sizeof(count) || size < count))
		c->error = -EINVAL;
	if (c->in && !c->error && size)
		c->error = index_reserve(kind, cell, size);
	if (c->error)
		return;
	cell->count = count;
	raw(c, cell->machines, count * sizeof(*cell->machines));
}

static void one_kind(struct codec *c, struct kind *kind)
{
	struct kind bare = { 0 };

	if (!c->in)
		bare = *kind;
	bare.attributes = NULL;
	bare.lists = NULL;
	raw(c, &bare, offsetof(struct kind, cells));
	raw(c, &bare.filled, sizeof(bare) - offsetof(struct kind, filled));
	bare.attributes = NULL;
	bare.lists = NULL;
	if (c->in)
		*kind = bare;
	ARRAY(c, kind->attributes, kind->attribute_count, kind->attribute_count);
	for (int i = 0; i < INDEX_SIDE * INDEX_SIDE; i++) {
		list(c, kind, &kind->cells[i / INDEX_SIDE][i % INDEX_SIDE]);
	}
}

static void kinds(struct codec *c, struct cell *cell, size_t count)
{
	if (c->in && !c->error && cell->kind_size) {
		cell->kinds = calloc(cell->kind_size, sizeof(*cell->kinds));
		cell->search = calloc(cell->kind_size, sizeof(*cell->search));
		if (!cell->kinds || !cell->search)
			c->error = -ENOMEM;
	}
	for (size_t k = 0; k < count && !c->error; k++) {
		if (c->in && !(cell->kinds[k] = calloc(1, sizeof(**cell->kinds)))) {
			c->error = -ENOMEM;
			return;
		}
		cell->kind_count = k + 1;
		one_kind(c, cell->kinds[k]);
	}
}

/* ---- the walk ---- */

static void forget_pointers(struct cell *cell)
{
	cell->outside = NULL;
	cell->symbols = (struct symbols){ 0 };
	cell->machines = NULL;
	cell->more = NULL;
	cell->kinds = NULL;
	cell->search = NULL;
	cell->classes = NULL;
	cell->shapes = NULL;
	cell->groups = NULL;
	cell->blocked = NULL;
	cell->tasks = NULL;
	cell->jobs = NULL;
	cell->waits = NULL;
	cell->quotas = NULL;
	cell->timers = NULL;
	cell->demand.sums = NULL;
	cell->queue.lines = NULL;
	cell->queue.turns = NULL;
	cell->machine_of = cell->kind_of = cell->class_of = cell->shape_of = (struct map){ 0 };
	cell->group_of = cell->group_at = cell->job_of = cell->quota_of = (struct map){ 0 };
	cell->queue.line_of = cell->queue.turn_of = (struct map){ 0 };
	cell->port_taken = cell->port_of = cell->image_at = (struct map){ 0 };
}

static void maps(struct codec *c, struct cell *cell)
{
	struct map *const all[] = { &cell->machine_of,	  &cell->kind_of,    &cell->class_of,
				    &cell->shape_of,	  &cell->group_of,   &cell->group_at,
				    &cell->job_of,	  &cell->quota_of,   &cell->queue.line_of,
				    &cell->queue.turn_of, &cell->port_taken, &cell->port_of,
				    &cell->image_at };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		map(c, all[i]);
}

/* Everything but struct cell itself, whose counts are known. */
static void walk(struct codec *c, struct cell *cell, size_t kind_count, size_t class_count)
{
	struct queue *q = &cell->queue;

	symbols(c, &cell->symbols);
	kinds(c, cell, kind_count);
	classes(c, cell, class_count);
	maps(c, cell);
	ARRAY(c, cell->machines, cell->machine_count, cell->machine_size);
	ARRAY(c, cell->more, cell->machine_count, cell->machine_size);
	ARRAY(c, cell->shapes, cell->shape_count, cell->shape_size);
	ARRAY(c, cell->groups, cell->group_count, cell->group_size);
	ARRAY(c, cell->blocked, cell->blocked_count, cell->blocked_size);
	ARRAY(c, cell->tasks, cell->task_count, cell->task_size);
	ARRAY(c, cell->jobs, cell->job_count, cell->job_size);
	ARRAY(c, cell->waits, cell->wait_count, cell->wait_size);
	ARRAY(c, cell->quotas, cell->quota_count, cell->quota_size);
	ARRAY(c, cell->timers, cell->timer_count, cell->timer_size);
	ARRAY(c, q->lines, q->line_count, q->line_size);
	ARRAY(c, q->turns, q->turn_count, q->turn_size);
	ARRAY(c, cell->demand.sums, 0, cell->demand.sum_size);
}

int cell_save(const struct cell *cell, uint8_t **ret_bytes, size_t *ret_len, struct err *err)
{
	struct cell bare = *cell, read = *cell;
	struct head head = { .magic = MAGIC, .shape = shape_of_state() };
	struct codec c = { 0 };

	forget_pointers(&bare);
	raw(&c, &head, sizeof(head));
	raw(&c, &cell->outside->now_ms, sizeof(cell->outside->now_ms));
	raw(&c, &cell->outside->random, sizeof(cell->outside->random));
	raw(&c, &bare, sizeof(bare));
	/* On the way out nothing is changed. */
	walk(&c, &read, cell->kind_count, cell->class_count);
	if (c.error) {
		free(c.out);
		return err_set(err, -c.error, "save a checkpoint of the cell");
	}
	head.digest = hash_bytes(c.out + sizeof(head), c.at - sizeof(head), head.shape);
	memcpy(c.out, &head, sizeof(head));
	*ret_bytes = c.out;
	*ret_len = c.at;
	return 0;
}

static int check_head(const uint8_t *bytes, size_t len, struct err *err)
{
	struct head head;

	if (len < sizeof(head))
		return err_say(err, EINVAL, "these %zu bytes are no checkpoint", len);
	memcpy(&head, bytes, sizeof(head));
	if (head.magic != MAGIC)
		return err_say(err, EINVAL, "this is no checkpoint of a cell");
	if (head.shape != shape_of_state())
		return err_say(err, EINVAL, "this checkpoint is of another build of cellar");
	if (head.digest != hash_bytes(bytes + sizeof(head), len - sizeof(head), head.shape))
		return err_say(err, EINVAL, "this checkpoint was cut or changed");
	return 0;
}

int cell_load(const uint8_t *bytes, size_t len, struct outside *outside, struct cell **ret,
	      struct err *err)
{
	_cleanup_cell_ struct cell *cell = NULL;
	struct codec c = { .in = bytes, .at = sizeof(struct head), .len = len };
	size_t kind_count, class_count;

	err_try(check_head(bytes, len, err));
	cell = calloc(1, sizeof(*cell));
	if (!cell)
		return err_set(err, ENOMEM, "load a checkpoint");
	raw(&c, &outside->now_ms, sizeof(outside->now_ms));
	raw(&c, &outside->random, sizeof(outside->random));
	raw(&c, cell, sizeof(*cell));
	forget_pointers(cell);
	kind_count = cell->kind_count;
	class_count = cell->class_count;
	cell->kind_count = cell->class_count = 0;
	cell->outside = outside;
	if (!c.error && symbols_init(&cell->symbols) < 0)
		c.error = -ENOMEM;
	walk(&c, cell, kind_count, class_count);
	if (!c.error && c.at != len)
		c.error = -EINVAL;
	if (c.error)
		return err_set(err, -c.error, "load a checkpoint");
	*ret = take_ptr(cell);
	return 0;
}
