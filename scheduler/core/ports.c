/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/ports.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PORT_MAX 65536

static uint32_t host_of(const struct cell *cell, uint32_t machine)
{
	uint32_t alloc = cell->more[machine].alloc;

	return alloc == NONE ? machine : cell->tasks[alloc].machine;
}

static uint64_t key_taken(uint32_t host, uint32_t port)
{
	return (uint64_t)host << 16 | port;
}

static uint64_t key_of(uint32_t task, uint32_t i)
{
	return (uint64_t)task << 20 | i;
}

static uint32_t range(const struct cell *cell, uint32_t host)
{
	return (uint32_t)cell->kinds[cell->machines[host].kind]->capacity.of[RESOURCE_PORTS];
}

/* An alloc holds a number of ports, and leaves the numbers to the tasks in it. */
uint32_t ports_count(const struct cell *cell, uint32_t task)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];

	if (cell->tasks[task].room != NONE)
		return 0;
	return class->port_count + (uint32_t) class->request.amounts.of[RESOURCE_PORTS];
}

int64_t ports_holder(const struct cell *cell, const struct class *class, uint32_t machine,
		     uint32_t i)
{
	uint32_t host = host_of(cell, machine), port = class->ports[i], holder;

	if (host == NONE || (port >= cell->more[host].first_port &&
			     port - cell->more[host].first_port < range(cell, host)))
		return PORT_NEVER;
	holder = map_get(&cell->port_taken, key_taken(host, port));
	return holder == MAP_NONE ? -1 : (int64_t)holder;
}

bool ports_are_free(const struct cell *cell, const struct class *class, uint32_t machine)
{
	for (uint32_t i = 0; i < class->port_count; i++)
		if (ports_holder(cell, class, machine, i) != -1)
			return false;
	return true;
}

/* The next of the range that nobody holds: there is one, for as many are counted as taken. */
static uint32_t choose(struct cell *cell, uint32_t host)
{
	struct machine_more *more = &cell->more[host];
	uint32_t size = range(cell, host), port;

	for (uint32_t tries = 0; tries < size; tries++) {
		port = more->first_port + more->next_port;
		more->next_port = (uint16_t)((more->next_port + 1u) % size);
		if (map_get(&cell->port_taken, key_taken(host, port)) == MAP_NONE)
			return port;
	}
	abort(); /* counted wrong */
}

int ports_take(struct cell *cell, uint32_t task)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];
	uint32_t count = ports_count(cell, task), host;

	if (!count)
		return 0;
	host = host_of(cell, cell->tasks[task].machine);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t port = i < class->port_count ? class->ports[i] : choose(cell, host);

		if (map_put(&cell->port_of, key_of(task, i), port) == 0 &&
		    map_put(&cell->port_taken, key_taken(host, port), task) == 0)
			continue;
		map_remove(&cell->port_of, key_of(task, i));
		while (i-- > 0) {
			port = map_get(&cell->port_of, key_of(task, i));
			map_remove(&cell->port_taken, key_taken(host, port));
			map_remove(&cell->port_of, key_of(task, i));
		}
		return -ENOMEM;
	}
	return 0;
}

int ports_change(struct cell *cell, uint32_t task, uint32_t i, uint32_t port)
{
	const struct class *class = &cell->classes[cell->tasks[task].class];
	uint32_t host = host_of(cell, cell->tasks[task].machine), had, holder;

	if (i < class->port_count || i >= ports_count(cell, task) ||
	    port < cell->more[host].first_port ||
	    port - cell->more[host].first_port >= range(cell, host))
		return -EEXIST;
	had = map_get(&cell->port_of, key_of(task, i));
	holder = map_get(&cell->port_taken, key_taken(host, port));
	if (holder != MAP_NONE)
		return had == port ? 0 : -EEXIST;
	if (map_put(&cell->port_taken, key_taken(host, port), task) < 0)
		return -ENOMEM;
	map_remove(&cell->port_taken, key_taken(host, had));
	map_put(&cell->port_of, key_of(task, i), port);
	return 0;
}

void ports_give(struct cell *cell, uint32_t task)
{
	uint32_t count = ports_count(cell, task);
	uint32_t host = count ? host_of(cell, cell->tasks[task].machine) : NONE;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t port = map_get(&cell->port_of, key_of(task, i));

		assert(map_get(&cell->port_taken, key_taken(host, port)) == task);
		map_remove(&cell->port_taken, key_taken(host, port));
	}
}

void ports_retake(struct cell *cell, uint32_t task)
{
	uint32_t count = ports_count(cell, task);
	uint32_t host = count ? host_of(cell, cell->tasks[task].machine) : NONE;

	/* As many entries were there before: this never allocates. */
	for (uint32_t i = 0; i < count; i++)
		map_put(&cell->port_taken,
			key_taken(host, map_get(&cell->port_of, key_of(task, i))), task);
}

bool ports_could_retake(const struct cell *cell, uint32_t task)
{
	uint32_t count = ports_count(cell, task);
	uint32_t host = count ? host_of(cell, cell->tasks[task].machine) : NONE;

	for (uint32_t i = 0; i < count; i++)
		if (map_get(&cell->port_taken,
			    key_taken(host, map_get(&cell->port_of, key_of(task, i)))) != MAP_NONE)
			return false;
	return true;
}

bool ports_are_held(const struct cell *cell, uint32_t task)
{
	uint32_t host = host_of(cell, cell->tasks[task].machine);

	for (uint32_t i = 0, count = ports_count(cell, task); i < count; i++)
		if (map_get(&cell->port_taken,
			    key_taken(host, map_get(&cell->port_of, key_of(task, i)))) != task)
			return false;
	return true;
}

void ports_forget(struct cell *cell, uint32_t task)
{
	for (uint32_t i = 0, count = ports_count(cell, task); i < count; i++)
		map_remove(&cell->port_of, key_of(task, i));
}

uint32_t cell_task_port(const struct cell *cell, uint32_t task, uint32_t i)
{
	uint32_t port = MAP_NONE;

	if (cell->tasks[task].state == TASK_RUNNING && i < ports_count(cell, task))
		port = map_get(&cell->port_of, key_of(task, i));
	return port == MAP_NONE ? 0 : port;
}
