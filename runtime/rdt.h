/* SPDX-License-Identifier: Apache-2.0 */
/* linux.intelRdt of a container; nothing happens for one that does not ask for it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"

/* An object with nothing in it is no wish. */
bool rdt_is_wanted(const struct oci_config *config);

/* A new container: its class is made and pid put in. */
int rdt_create(const struct oci_config *config, const char *id, pid_t pid, struct err *err);

/* One more process of it. */
int rdt_join(const struct oci_config *config, const char *id, pid_t pid, struct err *err);

/* Other schemata; NULL: as they are. -EINVAL for a container that was made without a class. */
int rdt_update(const struct oci_config *config, const char *id, const char *l3_cache_schema,
	       const char *mem_bw_schema, struct err *err);

void rdt_remove(const struct oci_config *config, const char *id);
