/* SPDX-License-Identifier: Apache-2.0 */
/* A process's environment while it is put together: later settings replace earlier ones in place.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define ENVIRONMENT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct environment {
	struct arena *arena; /* not owned */
	const char **items;  /* NULL-terminated once something was set */
	size_t count, size;
};

/* "NAME=VALUE"; NULL or without a name: -EINVAL. The text is not copied. */
int environment_set(struct environment *env, const char *assignment, struct err *err);

/* Sets NAME=VALUE only where NAME is not set yet. */
int environment_default(struct environment *env, const char *assignment, struct err *err);

/*
 * What "-e" takes: "NAME=VALUE", or "NAME" alone, which takes our own value, and takes it out
 * where we have none.
 */
int environment_ask(struct environment *env, const char *text, struct err *err);

/* The value, or NULL. */
const char *environment_get(const struct environment *env, const char *name);
