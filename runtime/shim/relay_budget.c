/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of a container's relays: who has used his least lately gives them back first. */
#include "runtime/shim/relay.h"

#include <stddef.h>

#include "base/clock.h"

#define GRACE_NS INT64_C(5000000000)

static void unlink_lease(struct relay_lease *lease)
{
	struct relay_budget *b = lease->budget;

	*(lease->older ? &lease->older->newer : &b->oldest) = lease->newer;
	*(lease->newer ? &lease->newer->older : &b->newest) = lease->older;
}

static void append(struct relay_lease *lease)
{
	struct relay_budget *b = lease->budget;

	lease->used_ns = clock_monotonic_ns();
	lease->newer = NULL;
	lease->older = b->newest;
	*(b->newest ? &b->newest->newer : &b->oldest) = lease;
	b->newest = lease;
}

void relay_lease_begin(struct relay_lease *lease, struct relay_budget *budget, size_t fds,
		       void (*evict)(struct relay_lease *lease))
{
	lease->budget = budget;
	lease->fds = fds;
	lease->evict = evict;
	budget->left -= fds;
	append(lease);
}

void relay_lease_use(struct relay_lease *lease)
{
	unlink_lease(lease);
	append(lease);
}

void relay_lease_end(struct relay_lease *lease)
{
	unlink_lease(lease);
	lease->budget->left += lease->fds;
}

bool relay_budget_has(struct relay_budget *budget, size_t fds)
{
	int64_t grace = budget->grace_ns ? budget->grace_ns : GRACE_NS;

	while (budget->left < fds && budget->oldest &&
	       clock_monotonic_ns() - budget->oldest->used_ns >= grace)
		budget->oldest->evict(budget->oldest);
	return budget->left >= fds;
}
