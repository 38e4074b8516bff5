/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the present workload, running and pending, asks for: a weighted sketch of its requests, kept
 * up online. Requests that are alike (half an octave of CPU, half an octave of memory per CPU, the
 * same devices) are one; the heaviest 16 without devices and 64 with devices stand for all. And the
 * prices of the resources: what is scarce, as the part of the cell that is asked for, counts most.
 *
 * Nothing here is a constant of a workload.
 */
#pragma once

#include "scheduler/core/state.h"

/* A task came to the cell, or left it. */
void demand_add(struct cell *cell, const struct class *class);
void demand_remove(struct cell *cell, const struct class *class);
/* Numbers of ports that a task of the class holds, and places that it takes in groups. */
uint32_t demand_ports(const struct class *class);
uint32_t demand_places(const struct class *class);
/* Room in the tables of both for so many more than all tasks alive want: so that no decision
 * allocates. 0 or -ENOMEM. */
int demand_reserve_tables(struct cell *cell, uint64_t ports, uint64_t places);
/* Room for one more shape: 0 or -ENOMEM. */
int demand_reserve(struct cell *cell);

/* Counts anew when enough has changed, and then raises the epoch. */
void demand_refresh(struct cell *cell);
void demand_deinit(struct demand *demand);
