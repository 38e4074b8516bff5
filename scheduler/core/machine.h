/* SPDX-License-Identifier: Apache-2.0 */
/* A machine as it is added to a cell: plain data; strings are copied. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/amounts.h"

#define MACHINE_NODES_MAX 4
#define MACHINE_DEVICES_MAX 16

enum machine_state { MACHINE_UP, MACHINE_CORDONED, MACHINE_DRAINING, MACHINE_DOWN };

struct attribute {
	const char *key, *value;
};

struct machine_spec {
	const char *name;
	struct amounts capacity;
	unsigned node_count; /* NUMA nodes; 0: not told. CPU and memory of the capacity in parts: */
	struct amounts node[MACHINE_NODES_MAX];
	unsigned device_count; /* equal devices, each of 1000 milli */
	const char *device_model;
	uint16_t first_port;	  /* of those that tasks get; 0: they end with 65535 */
	const char *rack, *power; /* failure domains; NULL: one of its own */
	const struct attribute *attributes;
	size_t attribute_count;
};
