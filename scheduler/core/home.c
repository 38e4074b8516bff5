/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/home.h"

#include <stdlib.h>

#include "base/arena.h"
#include "scheduler/core/fit.h"

/* A machine as it is tried: with what was thought to be put on it. */
struct seat {
	uint32_t machine, domain;
	uint32_t tasks; /* thought to be put on it */
	struct room room;
};

struct trial {
	struct cell *cell;
	uint32_t *tasks; /* the largest first */
	size_t task_count;
	struct seat *seats; /* by domain */
	size_t seat_count;
	uint32_t most; /* tasks on a machine, by another rule of the class; UINT32_MAX */
};

static int by_domain(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;

	if (x->domain != y->domain)
		return x->domain < y->domain ? -1 : 1;
	return (x->machine > y->machine) - (x->machine < y->machine);
}

static int by_size(const void *a, const void *b, void *data)
{
	const struct cell *cell = data;
	const struct task *x = &cell->tasks[*(const uint32_t *)a];
	const struct task *y = &cell->tasks[*(const uint32_t *)b];
	int64_t cpu_x = cell->classes[x->class].request.amounts.of[RESOURCE_CPU];
	int64_t cpu_y = cell->classes[y->class].request.amounts.of[RESOURCE_CPU];

	if (cpu_x != cpu_y)
		return cpu_x > cpu_y ? -1 : 1;
	return x->sequence < y->sequence ? -1 : 1;
}

/* Tasks that are to share a rack may have to lie on machines of their own. */
static uint32_t most_on_machine(const struct cell *cell, const struct class *class)
{
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++) {
		const struct group *group = &cell->groups[class->groups[i]];

		if (group->kind == SPREAD_APART && !group->soft && group->domain == DOMAIN_MACHINE)
			return group->most;
	}
	return UINT32_MAX;
}

static int set_up(struct trial *trial, uint32_t job, enum domain domain, struct arena *arena)
{
	struct cell *cell = trial->cell;
	bool inside = false;

	trial->tasks = arena_calloc(arena, cell->jobs[job].count, sizeof(*trial->tasks));
	trial->seats = arena_calloc(arena, cell->machine_count, sizeof(*trial->seats));
	if (!trial->tasks || !trial->seats)
		return -1;
	for (uint32_t t = cell->jobs[job].tasks; t != NONE; t = cell->tasks[t].next_in_job) {
		const struct class *class = &cell->classes[cell->tasks[t].class];

		if (cell->tasks[t].state != TASK_PENDING)
			continue;
		trial->tasks[trial->task_count++] = t;
		trial->most = most_on_machine(cell, class);
		inside = class->set;
	}
	qsort_r(trial->tasks, trial->task_count, sizeof(*trial->tasks), by_size, cell);
	for (uint32_t m = 0; m < cell->machine_count; m++) {
		struct seat *seat = &trial->seats[trial->seat_count];

		if (cell->machines[m].state != MACHINE_UP || is_room(cell, m) != inside)
			continue;
		seat->machine = m;
		seat->domain = cell->more[m].domain[domain];
		room_of(cell, m, &seat->room);
		trial->seat_count++;
	}
	qsort(trial->seats, trial->seat_count, sizeof(*trial->seats), by_domain);
	return 0;
}

static void sit(const struct request *request, const struct grip *grip, struct room *room)
{
	amounts_subtract(&room->free, &request->amounts);
	for (unsigned bits = grip->devices; bits; bits &= bits - 1) {
		uint16_t *free = &room->device_free[__builtin_ctz(bits)];

		*free = (uint16_t)(*free - request->device_milli);
	}
	for (unsigned bits = grip->nodes; bits; bits &= bits - 1) {
		struct node_room *free = &room->node_free[__builtin_ctz(bits)];

		free->cpu -= request->amounts.of[RESOURCE_CPU] / request->nodes;
		free->memory -= request->amounts.of[RESOURCE_MEMORY] / request->nodes;
	}
}

/* On the seat that it leaves least CPU on. */
static bool seat_task(struct trial *trial, uint32_t task, size_t from, size_t to)
{
	struct cell *cell = trial->cell;
	struct class *class = &cell->classes[cell->tasks[task].class];
	struct grip grip, best_grip;
	struct seat *best = NULL;

	for (size_t i = from; i < to; i++) {
		struct seat *seat = &trial->seats[i];
		uint32_t kind = cell->machines[seat->machine].kind;

		if (seat->tasks >= trial->most ||
		    (best &&
		     seat->room.free.of[RESOURCE_CPU] >= best->room.free.of[RESOURCE_CPU]) ||
		    !fit_kind(cell, class, kind) || !fit_domains(cell, class, seat->machine) ||
		    fit_room(cell->kinds[kind], &class->request, &seat->room, &grip) != FIT_YES)
			continue;
		best = seat;
		best_grip = grip;
	}
	if (best) {
		sit(&class->request, &best_grip, &best->room);
		best->tasks++;
	}
	return best;
}

static uint32_t choose(struct cell *cell, uint32_t job, enum domain domain)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct trial trial = { .cell = cell, .most = UINT32_MAX };
	size_t most = 0;
	int64_t least = INT64_MAX;
	uint32_t home = 0;

	if (!arena || set_up(&trial, job, domain, arena) < 0)
		return 0;
	for (size_t from = 0, to; from < trial.seat_count; from = to) {
		size_t seated = 0;
		int64_t cpu = 0;

		for (to = from;
		     to < trial.seat_count && trial.seats[to].domain == trial.seats[from].domain;
		     to++)
			cpu += trial.seats[to].room.free.of[RESOURCE_CPU];
		for (size_t t = 0; t < trial.task_count; t++)
			seated += seat_task(&trial, trial.tasks[t], from, to);
		if (seated > most || (seated && seated == most && cpu < least)) {
			most = seated;
			least = cpu;
			home = trial.seats[from].domain;
		}
	}
	return home;
}

bool home_choose(struct cell *cell, uint32_t task)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];
	bool chosen = false;

	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++) {
		struct group *group = &cell->groups[class->groups[i]];

		if (group->kind == SPREAD_TOGETHER && !group->placed) {
			group->home = choose(cell, cell->tasks[task].job, group->domain);
			chosen = chosen || group->home;
		}
	}
	return chosen;
}

void home_forget(struct cell *cell, uint32_t task)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];

	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++)
		if (!cell->groups[class->groups[i]].placed)
			cell->groups[class->groups[i]].home = 0;
}
