/* SPDX-License-Identifier: Apache-2.0 */
/* Feasibility: may and can a task of a class lie on a machine? */
#pragma once

#include "scheduler/core/state.h"

/* In order of the checks; what `why` counts machines by. */
enum fit {
	FIT_YES,
	FIT_STATE,	/* not up */
	FIT_CONSTRAINT, /* an attribute */
	FIT_MODEL,	/* no device of that model */
	FIT_CAPACITY,	/* too small even when empty */
	FIT_SPREAD,
	FIT_CPU,
	FIT_MEMORY,
	FIT_DISK,
	FIT_PORTS,
	FIT_DEVICES,
	FIT_NODES,
	FIT_CLAIMED, /* kept for a task that has waited too long; checked after the state */
	FIT_COUNT,
};

/* What a task takes on a machine beyond the scalar amounts. */
struct grip {
	uint16_t devices; /* a bit for each */
	uint8_t nodes;
};

/* What is free on a machine, as it is or as it would be without some tasks. */
struct room {
	struct amounts free;
	uint16_t device_free[MACHINE_DEVICES_MAX];
	struct node_room node_free[MACHINE_NODES_MAX];
};
void room_of(const struct cell *cell, uint32_t machine, struct room *ret);

/* Does the kind do by capacity and attributes? Kept in the class. */
bool fit_kind(struct cell *cell, struct class *class, uint32_t kind);
/* The same as class->eligible has it. */
uint16_t fit_kind_first(const struct cell *cell, const struct class *class, uint32_t kind);
/* Fills class->eligible for all kinds. 0 or -ENOMEM. */
int fit_kinds(struct cell *cell, struct class *class);

/* The whole answer for one machine, with the grip on it. The kind must be eligible. */
enum fit fit_machine(const struct cell *cell, const struct class *class, uint32_t machine,
		     struct grip *ret);
/* Its part that only looks at amounts, devices and nodes. */
enum fit fit_room(const struct kind *kind, const struct request *request, const struct room *room,
		  struct grip *ret);
/* And the one that looks at constraints: of the kind (soft ones left out), of the machine. */
enum fit fit_kind_reason(const struct cell *cell, const struct class *class, uint32_t kind);
bool fit_domains(const struct cell *cell, const struct class *class, uint32_t machine);

/* How many soft constraints the machine does not meet. */
unsigned fit_unmet(const struct cell *cell, const struct class *class, uint32_t machine);
