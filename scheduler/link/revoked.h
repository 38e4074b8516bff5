/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that are taken back: all that a role and name had got until a moment, below
 * "revoked/" in the master's store. Who joins again, by another token, is as new.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "scheduler/api/http.h"

struct master;
struct revoked;

/* Those in the master's store, which outlives them. */
int revoked_load(struct master *master, struct revoked **ret, struct err *err);
struct revoked *revoked_free(struct revoked *revoked);

/* All certificates of that role and name until now; in the store when it returns 0. */
int revoked_add(struct revoked *revoked, const char *role, const char *name, struct err *err);
/* -EACCES with a sentence when it is one of them. */
int revoked_check(const struct revoked *revoked, const struct http_certificate *certificate,
		  struct err *err);
/* May a certificate of that role and name be made now, so that it is none of them? -EAGAIN: only
 * from the next second on. */
int revoked_check_new(const struct revoked *revoked, const char *role, const char *name,
		      struct err *err);

CLEANUP_DEFINE(struct revoked, revoked, revoked_free);
#define _cleanup_revoked_ _cleanup_(cleanup_revoked)
