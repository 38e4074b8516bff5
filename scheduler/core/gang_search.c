/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/gang_search.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "scheduler/core/claim.h"
#include "scheduler/core/lineup.h"
#include "scheduler/core/room.h"
#include "scheduler/core/trial.h"

#define SIDES_MAX 3    /* classes in a gang */
#define PARTIES_MAX 64 /* numbers of members of each class: what is shared out */
#define MACHINES_MAX PREEMPT_CANDIDATES

/* So many members of each class, as one number: the empty party is 0, the whole gang the last. */
struct parties {
	uint32_t class[SIDES_MAX];
	unsigned most[SIDES_MAX], step[SIDES_MAX]; /* step: of one more of that class */
	unsigned sides, count;
};

/* What making room for each party costs on a machine. */
struct offer {
	uint32_t machine;
	double lost[PARTIES_MAX];  /* INFINITY: there is no way */
	uint16_t set[PARTIES_MAX]; /* who goes, of the lineup: a bit for each, or a length */
	bool exact;
};

struct search {
	struct cell *cell;
	struct parties parties;
	enum band highest; /* of a victim */
	struct offer *offers;
	size_t offer_count;
	uint8_t *taken; /* by offer and party: the party that the offer takes of it */
	struct lineup *lineup;
};

/* ---- parties ---- */

static unsigned members_of(const struct parties *p, unsigned party, unsigned side)
{
	return party / p->step[side] % (p->most[side] + 1);
}

/* Is `part` in it, class by class? */
static bool holds(const struct parties *p, unsigned party, unsigned part)
{
	for (unsigned s = 0; s < p->sides; s++)
		if (members_of(p, part, s) > members_of(p, party, s))
			return false;
	return true;
}

static bool has_hard_rules(const struct cell *cell, const struct class *class)
{
	for (int i = 0; i < CLASS_GROUPS && class->groups[i] != NONE; i++)
		if (!cell->groups[class->groups[i]].soft)
			return true;
	return class->port_count;
}

static bool make_parties(const struct cell *cell, const uint32_t *tasks, size_t count,
			 struct parties *ret)
{
	*ret = (struct parties){ .count = 1 };
	for (size_t i = 0; i < count; i++) {
		uint32_t class = cell->tasks[tasks[i]].class;
		unsigned s = 0;

		while (s < ret->sides && ret->class[s] != class)
			s++;
		if (s == SIDES_MAX || has_hard_rules(cell, &cell->classes[class]))
			return false;
		ret->class[s] = class;
		ret->most[s]++;
		ret->sides += s == ret->sides;
	}
	for (unsigned s = 0; s < ret->sides; s++) {
		ret->step[s] = ret->count;
		if (ret->most[s] >= PARTIES_MAX)
			return false;
		ret->count *= ret->most[s] + 1;
		if (ret->count > PARTIES_MAX)
			return false;
	}
	return true;
}

/* ---- one machine ---- */

static bool sums_fit(const struct search *s, const struct room *room, unsigned party)
{
	struct amounts sum = { 0 };

	for (unsigned i = 0; i < s->parties.sides; i++) {
		const struct class *class = &s->cell->classes[s->parties.class[i]];
		unsigned n = members_of(&s->parties, party, i);

		for (int r = 0; r < RESOURCE_COUNT; r++)
			sum.of[r] += n * class->request.amounts.of[r];
	}
	return amounts_fit(&sum, &room->free);
}

static bool fits(const struct search *s, uint32_t machine, const struct room *room, unsigned party)
{
	const struct kind *kind = s->cell->kinds[s->cell->machines[machine].kind];
	struct trial_room left = { .room = *room };
	struct grip grip;

	if (!sums_fit(s, room, party))
		return false;
	for (unsigned i = 0; i < s->parties.sides; i++) {
		struct class *class = &s->cell->classes[s->parties.class[i]];
		unsigned n = members_of(&s->parties, party, i);

		if (n && (!fit_kind(s->cell, class, s->cell->machines[machine].kind) ||
			  !fit_domains(s->cell, class, machine)))
			return false;
		while (n && (class->request.device_count || class->request.nodes)) {
			if (fit_room(kind, &class->request, &left.room, &grip) != FIT_YES)
				return false;
			trial_take(&left, &class->request, &grip);
			n--;
		}
	}
	return true;
}

/* Those that are marked go: is that a cheaper way for some party? */
static bool offer_set(const struct search *s, struct offer *offer, uint16_t set)
{
	struct lineup *lineup = s->lineup;
	struct room room;
	double lost = 0;
	bool whole;

	for (unsigned i = 0; i < lineup->count; i++)
		if (lineup->all[i].goes)
			lost += lineup->all[i].lost;
	lineup_room(s->cell, lineup, false, &room);
	for (unsigned p = 1; p < s->parties.count; p++)
		if (lost < offer->lost[p] && fits(s, offer->machine, &room, p)) {
			offer->lost[p] = lost;
			offer->set[p] = set;
		}
	whole = offer->lost[s->parties.count - 1] <= lost;
	return whole;
}

static void mark(struct lineup *lineup, bool exact, uint16_t set)
{
	for (unsigned i = 0; i < lineup->count; i++)
		lineup->all[i].goes = exact ? set & 1u << i : i < set;
}

static void fill_lineup(const struct search *s, uint32_t machine)
{
	struct lineup *lineup = s->lineup;

	lineup_fill(s->cell, &s->cell->classes[s->parties.class[0]], machine, WAY_LEAVE, lineup);
	/* By rising band. */
	while (lineup->count && lineup->all[lineup->count - 1].band > s->highest)
		lineup->count--;
}

/* Is there a way for anybody? */
static bool make_offer(const struct search *s, uint32_t machine, struct offer *ret)
{
	struct lineup *lineup = s->lineup;

	fill_lineup(s, machine);
	ret->machine = machine;
	ret->exact = lineup->count <= LINEUP_EXACT;
	ret->lost[0] = 0;
	ret->set[0] = 0;
	for (unsigned p = 1; p < s->parties.count; p++)
		ret->lost[p] = INFINITY;
	for (unsigned set = 0; set < (ret->exact ? 1u << lineup->count : lineup->count + 1);
	     set++) {
		mark(lineup, ret->exact, (uint16_t)set);
		if (offer_set(s, ret, (uint16_t)set) && !ret->exact)
			break;
	}
	for (unsigned p = 1; p < s->parties.count; p++)
		if (ret->lost[p] < INFINITY)
			return true;
	return false;
}

/* ---- all of them ---- */

static void make_offers(struct search *s, uint32_t start)
{
	uint32_t count = (uint32_t)s->cell->machine_count;
	const struct class *class = &s->cell->classes[s->parties.class[0]];

	s->offer_count = 0;
	for (uint32_t i = 0; i < count && s->offer_count < MACHINES_MAX; i++) {
		uint32_t machine = (start + i) % count;

		if (s->cell->machines[machine].state == MACHINE_UP &&
		    !claim_bars(s->cell, class, machine))
			s->offer_count += make_offer(s, machine, &s->offers[s->offer_count]);
	}
}

/* Party by party, over one offer after the other. Does the whole gang find its place? */
static bool share_out(struct search *s)
{
	double least[PARTIES_MAX], next[PARTIES_MAX];
	unsigned count = s->parties.count;

	for (unsigned p = 0; p < count; p++)
		least[p] = p ? INFINITY : 0;
	for (size_t o = 0; o < s->offer_count; o++) {
		const struct offer *offer = &s->offers[o];

		memcpy(next, least, sizeof(next));
		for (unsigned p = 0; p < count; p++) {
			s->taken[o * PARTIES_MAX + p] = 0;
			for (unsigned part = 1; part <= p; part++) {
				double lost = offer->lost[part] + least[p - part];

				if (lost < next[p] && holds(&s->parties, p, part)) {
					next[p] = lost;
					s->taken[o * PARTIES_MAX + p] = (uint8_t)part;
				}
			}
		}
		memcpy(least, next, sizeof(next));
	}
	return least[count - 1] < INFINITY;
}

/* Gives `part` of the members who have no machine yet that one. */
static void seat(const struct search *s, const uint32_t *tasks, size_t count, uint32_t machine,
		 unsigned part, uint32_t *machines)
{
	for (unsigned side = 0; side < s->parties.sides; side++) {
		unsigned n = members_of(&s->parties, part, side);

		for (size_t i = 0; i < count && n; i++)
			if (machines[i] == NONE &&
			    s->cell->tasks[tasks[i]].class == s->parties.class[side]) {
				machines[i] = machine;
				n--;
			}
	}
}

static int trace_back(struct search *s, const uint32_t *tasks, size_t count, struct arena *arena,
		      struct gang_seating *ret)
{
	unsigned party = s->parties.count - 1;

	ret->victim_count = 0;
	ret->machines = arena_calloc(arena, count, sizeof(*ret->machines));
	ret->victims = arena_calloc(arena, s->cell->running + 1, sizeof(*ret->victims));
	if (!ret->machines || !ret->victims)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		ret->machines[i] = NONE;
	for (size_t o = s->offer_count; o-- > 0;) {
		unsigned part = s->taken[o * PARTIES_MAX + party];

		if (!part)
			continue;
		seat(s, tasks, count, s->offers[o].machine, part, ret->machines);
		fill_lineup(s, s->offers[o].machine);
		mark(s->lineup, s->offers[o].exact, s->offers[o].set[part]);
		for (unsigned i = 0; i < s->lineup->count; i++)
			if (s->lineup->all[i].goes)
				ret->victims[ret->victim_count++] = s->lineup->all[i].task;
		party -= part;
	}
	return 1;
}

/* No job loses more than its budget allows, over all machines. */
static bool within_budgets(const struct search *s, const struct gang_seating *seating)
{
	const struct cell *cell = s->cell;

	if (cell->classes[s->parties.class[0]].priority >= PRIORITY_MONITORING)
		return true;
	for (size_t i = 0; i < seating->victim_count; i++) {
		uint32_t job = cell->tasks[seating->victims[i]].job;
		uint32_t down = cell->jobs[job].down;

		if (!cell->jobs[job].budget)
			continue;
		for (size_t k = 0; k < seating->victim_count; k++)
			down += cell->tasks[seating->victims[k]].job == job;
		if (down > cell->jobs[job].budget)
			return false;
	}
	return true;
}

int gang_search(struct cell *cell, const uint32_t *tasks, size_t count, struct arena *arena,
		struct gang_seating *ret)
{
	struct search s = { .cell = cell };
	uint32_t start;
	int r = 0;

	if (!cell->machine_count || !make_parties(cell, tasks, count, &s.parties))
		return 0;
	s.offers = arena_calloc(arena, MACHINES_MAX, sizeof(*s.offers));
	s.taken = arena_calloc(arena, MACHINES_MAX, PARTIES_MAX);
	s.lineup = arena_calloc(arena, 1, sizeof(*s.lineup));
	if (!s.offers || !s.taken || !s.lineup)
		return -ENOMEM;
	start = (uint32_t)(cell_random(cell) % cell->machine_count);
	for (int b = 0; b < BAND_COUNT && r == 0; b++) {
		s.highest = (enum band)b;
		make_offers(&s, start);
		if (share_out(&s))
			r = trace_back(&s, tasks, count, arena, ret);
		if (r == 1 && !within_budgets(&s, ret))
			r = 0;
	}
	return r;
}
