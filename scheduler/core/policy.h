/* SPDX-License-Identifier: Apache-2.0 */
/* How a cell chooses among the machines on which a task fits. docs/placement.md explains each. */
#pragma once

#include <stdint.h>

enum policy {
	POLICY_STRAND,	  /* ours, the default */
	POLICY_BEST_FIT,  /* least left over */
	POLICY_WORST_FIT, /* most left over: spread */
	POLICY_E_PVM,	  /* least rise of an exponential cost (Amir et al.) */
	POLICY_HYBRID, /* best fit that also keeps CPU and memory even, after Borg's description */
	POLICY_NOMAD,  /* a sample of log2 N, the best by Nomad's bin-packing score */
	POLICY_KUBERNETES, /* least allocated and balanced allocation, Kubernetes' defaults */
	POLICY_COUNT,
};

/* "strand", "best-fit", ...; NULL for a number out of range. */
const char *policy_name(enum policy policy);
/* The policy's number, or -1. */
int policy_find(const char *name);

/* How many feasible machines a policy scores at most in a cell of that many; UINT32_MAX: all. */
uint32_t policy_sample(enum policy policy, uint32_t machines);
