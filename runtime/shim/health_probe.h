/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at a container's health. It never blocks: what it waits for comes from the loop. A kind
 * of check is a table of two functions (health_exec.c, health_net.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "runtime/shim/health_check.h"

struct task;
struct probe;

/* exit_code 0: healthy. The probe is to be freed by whoever is told, now or later. */
typedef void (*probe_fn)(void *data, int exit_code, const char *output, size_t len);

struct probe_ops {
	int (*begin)(struct task *task, const struct shim_health *check, probe_fn fn, void *data,
		     struct probe **ret, struct err *err);
	/* Ends it, where it has not ended yet: then fn is not called any more. Takes NULL. */
	void (*free)(struct probe *probe);
	/* One of a shim that was killed is ended, too; NULL: it ended with that. */
	void (*sweep)(struct task *task);
};

extern const struct probe_ops probe_exec; /* SHIM_HEALTH_EXEC */
extern const struct probe_ops probe_net;  /* SHIM_HEALTH_TCP, SHIM_HEALTH_HTTP */
