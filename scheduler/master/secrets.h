/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: bytes that an owner's tasks get as files in memory. In the store they are sealed
 * (scheduler/store/seal.h); in clear they are in the master's memory, on their way to an agent, and
 * in the task's files, nowhere else.
 */
#pragma once

#include "base/json.h"
#include "scheduler/master/inside.h"

#define SECRET_BYTES_MAX ((size_t)256 << 10)
#define SECRETS_PER_OWNER 1000

struct secrets;

/* key_path: copied; the key is made with the first secret. NULL when out of memory. */
struct secrets *secrets_new(const char *key_path);
struct secrets *secrets_free(struct secrets *secrets);

/* From the store: "OWNER/NAME". One that cannot be opened is kept, and tasks that need it do not
 * start. */
int secrets_load(struct master *master, const char *name, const struct json_node *root,
		 struct err *err);

/* -ENOENT with a sentence where the job's owner has not all that its file asks for. */
int secrets_check(const struct master *master, const struct job_file *file, struct err *err);

/* What the task's files are to hold; strings are the job's, values the secrets'. The values come
 * along unless `known` is the version. 0 or -ENOMEM. */
int secrets_want(const struct master *master, const struct held_task *task, uint64_t known,
		 struct arena *arena, struct want *ret);
