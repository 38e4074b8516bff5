/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy file: who may do what in a cell, in YAML or JSON, as plain data in an arena. What it
 *does not allow is not allowed, but for the operator, who may do everything.
 *
 *	quota: required
 *	callers:
 *	  - {name: alice, owners: [search, web]}
 *	owners:
 *	  - owner: search
 *	    bands: [free, batch, production]
 *	    host_network: true
 *	    host_paths: [/srv/search]
 */
#pragma once

#include "spec/job/field.h"

enum rules_quota { RULES_QUOTA_WHERE_SET, RULES_QUOTA_REQUIRED };

struct rules_caller {
	const char *name;	   /* of a token, a certificate, or "uid-1000" */
	bool operator_;		   /* may do everything */
	const char *const *owners; /* for whom it speaks, beside the owner of its own name; NULL */
};

struct rules_owner {
	const char *owner;	  /* "*": those that have no entry of their own */
	const char *const *bands; /* NULL: all but monitoring */
	bool privileged, host_network;
	const char *const *host_paths; /* and what is below each; NULL: none */
	const char *const *devices;    /* of the host; NULL: none */
};

struct rules {
	int quota;		   /* enum rules_quota */
	struct field_list callers; /* struct rules_caller */
	struct field_list owners;  /* struct rules_owner */
};

/* name: what errors call the file. -EINVAL with file, line and column; -E2BIG, -ENOMEM. */
int rules_parse(const char *name, const char *text, size_t len, struct arena *arena,
		struct rules *ret, struct err *err);

/* "free", "batch", "mid", "production", "monitoring"; ends with NULL. */
extern const char *const rules_bands[];
