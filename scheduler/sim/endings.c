/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/endings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool before(const struct ending *a, const struct ending *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->trace_task < b->trace_task;
}

int endings_push(struct endings *e, struct ending ending)
{
	size_t at = e->count;

	if (e->count == e->size) {
		size_t size = e->size ? e->size * 2 : 1024;
		struct ending *more = reallocarray(e->heap, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		e->heap = more;
		e->size = size;
	}
	e->count++;
	for (; at && before(&ending, &e->heap[(at - 1) / 2]); at = (at - 1) / 2)
		e->heap[at] = e->heap[(at - 1) / 2];
	e->heap[at] = ending;
	return 0;
}

struct ending endings_pop(struct endings *e)
{
	struct ending first = e->heap[0], last = e->heap[--e->count];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < e->count; at = child) {
		if (child + 1 < e->count && before(&e->heap[child + 1], &e->heap[child]))
			child++;
		if (!before(&e->heap[child], &last))
			break;
		e->heap[at] = e->heap[child];
	}
	e->heap[at] = last;
	return first;
}

void endings_deinit(struct endings *endings)
{
	free(endings->heap);
	*endings = (struct endings){ 0 };
}
