/* SPDX-License-Identifier: Apache-2.0 */
/*
 * celld's configuration: one file in YAML for master and agent (packaging/celld.yaml is one with
 * comments), each of which takes its own part. What stands on the command line goes before it.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

#define CONFIG_LISTEN_DEFAULT "0.0.0.0:7643"

struct celld_master_config {
	const char *listen;
	int64_t detection_ms, fence_ms; /* 0: the master's default */
	int64_t production_percent;
};

struct celld_agent_config {
	const char *master, *machine, *rack, *cgroup; /* or NULL */
	int64_t cpu_milli, memory_bytes, disk_bytes;  /* 0: all that the machine has */
	int64_t reserve_cpu_milli, reserve_memory_bytes;
	const char *criu; /* or NULL */
	bool whole_cores;
};

struct celld_config {
	const char *cell, *root, *runroot;
	struct celld_master_config master;
	struct celld_agent_config agent;
};

/* -EINVAL in words unless it is a path of a cgroup, or NULL. */
int config_check_cgroup(const char *where, const char *path, struct err *err);

/* path: NULL gives the defaults. Texts live in the arena. -EINVAL with file, line, column. */
int config_load(const char *path, struct arena *arena, struct celld_config *ret, struct err *err);
