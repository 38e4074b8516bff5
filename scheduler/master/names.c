/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and machines by name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/master/inside.h"

#define BUCKETS_FIRST 64

static uint64_t hash_of(const struct names *names, const char *name)
{
	return hash_bytes(name, strlen(name), names->seed);
}

static struct held_job **bucket_of(const struct names *names, const char *name)
{
	return &names->buckets[hash_of(names, name) & (names->bucket_count - 1)];
}

/* Of two of one name, the later one stays in front. */
static int grow(struct names *names)
{
	struct names more = *names;

	more.bucket_count = names->bucket_count ? names->bucket_count * 2 : BUCKETS_FIRST;
	more.buckets = calloc(more.bucket_count, sizeof(*more.buckets));
	if (!more.buckets)
		return -ENOMEM;
	for (size_t i = 0; i < names->bucket_count; i++)
		while (names->buckets[i]) {
			struct held_job *job = names->buckets[i], **end;

			names->buckets[i] = job->same_bucket;
			end = bucket_of(&more, job_name(job));
			while (*end)
				end = &(*end)->same_bucket;
			job->same_bucket = NULL;
			*end = job;
		}
	free(names->buckets);
	*names = more;
	return 0;
}

int names_add_job(struct master *master, struct held_job *job)
{
	struct names *names = &master->names;
	struct held_job **bucket;

	if (names->job_count >= names->bucket_count && grow(names) < 0)
		return -ENOMEM;
	bucket = bucket_of(names, job_name(job));
	job->same_bucket = *bucket;
	*bucket = job;
	names->job_count++;
	return 0;
}

void names_remove_job(struct master *master, struct held_job *job)
{
	struct held_job **p = bucket_of(&master->names, job_name(job));

	while (*p != job)
		p = &(*p)->same_bucket;
	*p = job->same_bucket;
	master->names.job_count--;
}

static struct held_job *first_called(struct held_job *job, const char *name)
{
	while (job && strcmp(job_name(job), name) != 0)
		job = job->same_bucket;
	return job;
}

struct held_job *names_older_job(const struct held_job *job)
{
	return first_called(job->same_bucket, job_name(job));
}

struct held_job *job_find(struct master *master, const char *name)
{
	return master->names.bucket_count ? first_called(*bucket_of(&master->names, name), name)
					  : NULL;
}

/* ---- machines ---- */

int names_add_machine(struct master *master, uint32_t machine)
{
	struct names *names = &master->names;
	uint64_t hash = hash_of(names, master->machines[machine].name);

	/* Another one of that hash keeps it; this one is looked for in the list. */
	return map_get(&names->machines, hash) == MAP_NONE
		       ? map_put(&names->machines, hash, machine)
		       : 0;
}

struct held_machine *machine_find(struct master *master, const char *name)
{
	uint32_t at = map_get(&master->names.machines, hash_of(&master->names, name));

	if (at == MAP_NONE)
		return NULL;
	if (strcmp(master->machines[at].name, name) == 0)
		return &master->machines[at];
	for (size_t i = 0; i < master->machine_count; i++)
		if (strcmp(master->machines[i].name, name) == 0)
			return &master->machines[i];
	return NULL;
}

void names_deinit(struct names *names)
{
	free(names->buckets);
	map_deinit(&names->machines);
}
