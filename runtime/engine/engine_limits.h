/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may use of the machine, as it was asked for. Zero values are Docker's defaults;
 * docs/ctr.md tells what each means. meta.json keeps it as "limits".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/oci_config.h"

/* The four throttles of the specification, and a weight for each device. */
enum { ENGINE_BLOCK_WEIGHT = OCI_THROTTLES, ENGINE_BLOCK_KINDS };

struct engine_block_limit {
	const char *device; /* "/dev/sda" */
	int64_t major, minor;
	uint64_t value; /* bytes or operations a second; a weight from 10 to 1000 */
};

struct engine_limits {
	int64_t memory_bytes;	   /* 0: no limit */
	int64_t memory_swap_bytes; /* memory and swap; 0: twice the memory, -1: no limit of swap */
	int64_t memory_reservation_bytes;      /* 0: none */
	struct oci_i64 memory_swappiness;      /* 0 to 100; cgroup v1 alone has it */
	int64_t cpu_millicpu;		       /* 0: no limit */
	int64_t cpu_shares;		       /* 0: 1024, as everybody else */
	int64_t cpu_quota_us, cpu_period_us;   /* 0: none; not with cpu_millicpu */
	bool cpu_idle;			       /* only when nobody else wants the CPU; Linux 5.15 */
	const char *cpuset_cpus, *cpuset_mems; /* "0-3,7", or NULL: all */
	int64_t pids_limit;		       /* 0: the default, -1: none */
	int64_t blkio_weight;		       /* 10 to 1000; 0: the kernel's */
	const struct engine_block_limit *block[ENGINE_BLOCK_KINDS];
	size_t block_count[ENGINE_BLOCK_KINDS];
	struct oci_i64 oom_score_adj;
	int64_t shm_bytes; /* of /dev/shm; 0: 64 MiB */
	const struct oci_rlimit *ulimits;
	size_t ulimits_count;
};

/*
 * Checks what belongs together: swap with memory, a period with its quota, the cores with those
 * that are online. -EINVAL with the option's name in the sentence.
 */
int engine_limits_check(const struct engine_limits *limits, struct err *err);

/*
 * Lowers what this host does not let us give (CAP_SYS_RESOURCE is missing, cgroup v2 has no such
 * knob), and tells each in a sentence. ulimits are the caller's own array, changed in place.
 */
void engine_limits_fit(struct engine_limits *limits, struct oci_rlimit *ulimits,
		       void (*warn)(const char *sentence));
