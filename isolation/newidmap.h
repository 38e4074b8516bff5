/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of a user namespace by newuidmap(1) and newgidmap(1), for callers who are not root.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"

enum newidmap_kind { NEWIDMAP_USERS, NEWIDMAP_GROUPS };

/*
 * Maps the ids of the user namespace of process pid, which the caller made. -EPERM where the helper
 * is missing or refuses; the sentence has its words and what /etc/subuid gives the caller.
 */
int newidmap_write(enum newidmap_kind kind, pid_t pid, const struct oci_id_map *maps, size_t count,
		   struct err *err);

/*
 * What the file gives the caller, laid out one behind the other from 1 inside; returns how many, 0
 * also where the helper is missing.
 */
size_t newidmap_ranges(enum newidmap_kind kind, struct oci_id_map *ret, size_t max);
