/* SPDX-License-Identifier: Apache-2.0 */
/* A host's name becomes a number, in a child: resolvers block, and libcurl's has threads. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct loop;
struct resolve;

/* address: "NUMBER:PORT", or NULL with err. The look-up is gone after it. */
typedef void (*resolve_fn)(void *data, const char *address, const struct err *err);

/* Of "HOST:PORT". fn is called once, later. */
int resolve_start(struct loop *loop, const char *host_port, resolve_fn fn, void *data,
		  struct resolve **ret, struct err *err);
struct resolve *resolve_cancel(struct resolve *resolve); /* takes NULL, returns NULL */
