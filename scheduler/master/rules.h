/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cell's policy, as it is followed: who speaks for which owner, what that owner's tasks may be,
 * how much they may ask for. The operator may do everything, and nobody else what the policy does
 * not say; what calls.c lets a task of a job ask for is that job's, and counts as its owner's.
 */
#pragma once

#include "scheduler/master/inside.h"

struct held_rules;

struct held_rules *rules_new(void);
struct held_rules *rules_free(struct held_rules *rules);

/* -EPERM with a sentence. */
int rules_check_operator(const struct master *master, const struct caller *caller, const char *what,
			 struct err *err);
int rules_check_owner(const struct master *master, const struct caller *caller, const char *owner,
		      struct err *err);
/* The owner's, and what the file asks for. */
int rules_check_file(const struct master *master, const struct caller *caller,
		     const struct job_file *file, struct err *err);

/* From the store, after the jobs: "policy", and "quota/OWNER/BAND". */
int rules_load(struct master *master, const char *name, const struct json_node *root,
	       struct err *err);
int rules_load_quota(struct master *master, const char *name, const struct json_node *root,
		     struct err *err);
