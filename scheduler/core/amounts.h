/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of the scalar resources, and what a task asks for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum resource {
	RESOURCE_CPU,	 /* millicores */
	RESOURCE_MEMORY, /* bytes */
	RESOURCE_DISK,	 /* bytes */
	RESOURCE_PORTS,	 /* a number of ports */
	RESOURCE_COUNT,
};

/* No machine and no request may hold more of a resource: 256 TiB. */
#define AMOUNT_MAX ((int64_t)1 << 48)
/* What a cell may hold in all, and what may be asked of it. */
#define AMOUNT_SUM_MAX ((int64_t)1 << 60)

struct amounts {
	int64_t of[RESOURCE_COUNT];
};

#define DEVICE_WHOLE 1000 /* a device in its milli */

/* What one task asks for. Equal bytes are equal requests: start from a zeroed one. */
struct request {
	struct amounts amounts;
	uint16_t device_count; /* devices on one machine; 0: none */
	uint16_t device_milli; /* share of each: 1..1000, below 1000 only where the count is 1 */
	uint32_t device_model; /* symbol; 0: any */
	uint32_t nodes;	       /* NUMA nodes it spans in equal parts; 0: wherever it lands */
	uint32_t unused;       /* no padding: requests are hashed */
};

static inline bool amounts_fit(const struct amounts *need, const struct amounts *room)
{
	return need->of[RESOURCE_CPU] <= room->of[RESOURCE_CPU] &&
	       need->of[RESOURCE_MEMORY] <= room->of[RESOURCE_MEMORY] &&
	       need->of[RESOURCE_DISK] <= room->of[RESOURCE_DISK] &&
	       need->of[RESOURCE_PORTS] <= room->of[RESOURCE_PORTS];
}

static inline void amounts_add(struct amounts *to, const struct amounts *what)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		to->of[r] += what->of[r];
}

static inline void amounts_subtract(struct amounts *from, const struct amounts *what)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		from->of[r] -= what->of[r];
}

static inline bool amounts_equal(const struct amounts *a, const struct amounts *b)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (a->of[r] != b->of[r])
			return false;
	return true;
}
