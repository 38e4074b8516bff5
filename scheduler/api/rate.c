/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/rate.h"

#define MILLI 1000
#define NS_PER_MS INT64_C(1000000)

static struct rate_bucket *find(struct rate *rate, uint64_t who)
{
	struct rate_bucket *oldest = &rate->buckets[0];

	for (int i = 0; i < RATE_BUCKETS; i++) {
		struct rate_bucket *bucket = &rate->buckets[i];

		if (bucket->at_ns && bucket->who == who)
			return bucket;
		if (bucket->at_ns < oldest->at_ns)
			oldest = bucket;
	}
	*oldest = (struct rate_bucket){ .who = who };
	return oldest;
}

bool rate_take(struct rate *rate, uint64_t who, int64_t now_ns)
{
	struct rate_bucket *bucket = find(rate, who);
	const int64_t full = (int64_t)RATE_BURST * MILLI;

	/* A new one is full. */
	if (!bucket->at_ns || (now_ns - bucket->at_ns) / NS_PER_MS > full / RATE_PER_S)
		bucket->milli = full;
	else
		bucket->milli += (now_ns - bucket->at_ns) / (NS_PER_MS / RATE_PER_S);
	if (bucket->milli > full)
		bucket->milli = full;
	bucket->at_ns = now_ns;
	if (bucket->milli < MILLI)
		return false;
	bucket->milli -= MILLI;
	return true;
}
