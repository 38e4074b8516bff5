/* SPDX-License-Identifier: Apache-2.0 */
/* Small cells drawn from a seed, for the property tests. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "scheduler/core/cell.h"
#include "scheduler/core/map.h"

#define MIB ((int64_t)1 << 20)

struct draw {
	uint64_t state;
};

static inline uint64_t draw(struct draw *d)
{
	d->state += 0x9e3779b97f4a7c15u;
	return hash_mix(d->state);
}

/* From low to high, both included. */
static inline int64_t draw_from(struct draw *d, int64_t low, int64_t high)
{
	return low + (int64_t)(draw(d) % (uint64_t)(high - low + 1));
}

static inline int add_random_machine(struct draw *d, struct cell *cell, unsigned i, struct err *err)
{
	char name[16], rack[16];
	struct attribute attributes[2] = { { "arch", draw(d) % 3 ? "amd64" : "arm64" },
					   { "disk", draw(d) % 2 ? "ssd" : "hdd" } };
	struct machine_spec spec = {
		.name = name,
		.rack = rack,
		.capacity = { { draw_from(d, 2, 16) * 1000, draw_from(d, 4, 64) * 1024 * MIB,
				1024 * MIB, draw_from(d, 0, 8) } },
		.attributes = attributes,
		.attribute_count = 2,
	};

	if (draw(d) % 3 == 0) {
		spec.device_count = (unsigned)draw_from(d, 1, 4);
		spec.device_model = draw(d) % 2 ? "T4" : "A10";
	}
	snprintf(name, sizeof(name), "m%u", i);
	snprintf(rack, sizeof(rack), "r%u", i / 3);
	if (i % 2)
		spec.first_port = 20000;
	return cell_add_machine(cell, &spec, NULL, err);
}

/* A job and where its strings lie. */
struct random_job {
	struct job job;
	struct constraint constraint;
	uint16_t ports[2];
	char name[16], owner[16];
};

/* The lesser used of what a job can ask for. */
static inline void draw_extras(struct draw *d, struct random_job *ret)
{
	struct job *job = &ret->job;

	job->on_preemption = (enum on_preemption)(draw(d) % 3);
	job->notice_ms = draw_from(d, 0, 3) * 1000;
	job->latency_sensitive = draw(d) % 2;
	job->restart.when = (enum restart)(draw(d) % 6 ? 0 : draw(d) % 3);
	job->restart.most = (uint32_t)(draw(d) % 4);
	job->image = draw(d) % 4 ? NULL : draw(d) % 2 ? "bb" : "nginx";
	if (draw(d) % 6 == 0) {
		ret->ports[0] = (uint16_t)draw_from(d, 80, 82);
		ret->ports[1] = (uint16_t)(ret->ports[0] + 1);
		job->host_ports = ret->ports;
		job->host_port_count = (size_t)draw_from(d, 1, 2);
	}
	if (draw(d) % 8 == 0)
		job->affinity = (struct spread_rule){ .kind = SPREAD_TOGETHER,
						      .domain = DOMAIN_RACK,
						      .soft = draw(d) % 2 };
	if (job->spread.kind == job->affinity.kind && job->spread.domain == job->affinity.domain)
		job->affinity.kind = SPREAD_NONE;
	job->spread.soft = draw(d) % 4 == 0;
}

static inline void draw_job(struct draw *d, unsigned i, struct random_job *ret)
{
	static const unsigned priorities[] = { 0, 50, 100, 110, 117, 200, 200, 359, 400 };
	static const struct constraint constraints[] = {
		{ "arch", "amd64", COMPARE_EQUAL, false },
		{ "disk", "ssd", COMPARE_EQUAL, true },
		{ "rack", "r0", COMPARE_UNEQUAL, false },
		{ "disk", NULL, COMPARE_EXISTS, false },
	};
	struct job *job = &ret->job;

	snprintf(ret->name, sizeof(ret->name), "j%u", i);
	snprintf(ret->owner, sizeof(ret->owner), "o%u", (unsigned)(draw(d) % 3));
	ret->constraint = constraints[draw(d) % 4];
	*job = (struct job){
		.name = ret->name,
		.owner = ret->owner,
		.priority = priorities[draw(d) % 9],
		.count = (uint32_t)draw_from(d, 1, 4),
		.request = { .amounts = { { draw_from(d, 1, 80) * 100,
					    draw_from(d, 1, 160) * 128 * MIB,
					    draw_from(d, 0, 1) * 100 * MIB,
					    draw_from(d, 0, 1) } } },
		.constraints = &ret->constraint,
		.constraint_count = draw(d) % 3 == 0,
		.disruption_budget = draw(d) % 4 == 0,
		.gang = draw(d) % 8 == 0,
	};
	if (draw(d) % 6 == 0) {
		job->request.device_count = (uint16_t)draw_from(d, 1, 2);
		job->request.device_milli = job->request.device_count == 1
						    ? (uint16_t)(draw_from(d, 1, 10) * 100)
						    : 1000;
	}
	if (draw(d) % 5 == 0)
		job->spread = (struct spread_rule){ .kind = (enum spread)draw_from(d, 1, 2),
						    .domain = (enum domain)draw_from(d, 0, 1) };
	draw_extras(d, ret);
}
