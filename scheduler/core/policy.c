/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/policy.h"

#include <stddef.h>
#include <string.h>

static const char *const names[POLICY_COUNT] = {
	[POLICY_STRAND] = "strand",	    [POLICY_BEST_FIT] = "best-fit",
	[POLICY_WORST_FIT] = "worst-fit",   [POLICY_E_PVM] = "e-pvm",
	[POLICY_HYBRID] = "hybrid",	    [POLICY_NOMAD] = "nomad",
	[POLICY_KUBERNETES] = "kubernetes",
};

const char *policy_name(enum policy policy)
{
	return (unsigned)policy < POLICY_COUNT ? names[policy] : NULL;
}

int policy_find(const char *name)
{
	for (int p = 0; p < POLICY_COUNT; p++)
		if (strcmp(names[p], name) == 0)
			return p;
	return -1;
}

static uint32_t log2_up(uint32_t n)
{
	return n < 2 ? 1 : 32 - (uint32_t)__builtin_clz(n - 1);
}

uint32_t policy_sample(enum policy policy, uint32_t machines)
{
	uint32_t log = log2_up(machines), share;

	switch (policy) {
	case POLICY_STRAND:
		return 2 * log > 64 ? 2 * log : 64;
	case POLICY_NOMAD:
		return log > 2 ? log : 2;
	case POLICY_KUBERNETES:
		/* percentageOfNodesToScore: 50 % less one for every 125 nodes, 5 % and 100 at
		 * least. */
		share = machines / 125 < 45 ? 50 - machines / 125 : 5;
		return machines * share / 100 > 100 ? machines * share / 100 : 100;
	default:
		return UINT32_MAX;
	}
}
