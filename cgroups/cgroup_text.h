/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's files about one container as they are, for who passes all of them on. */
#pragma once

#include "cgroups/cgroup.h"
#include "cgroups/cgroup_layout.h"

/*
 * The whole of a file in the folder of the hierarchy that has the controller: by the first name
 * where that is v1, by the second where it is v2. Owned by the caller; NULL where there is no such
 * file, or its name is NULL.
 */
char *cgroup_text(const struct cgroup *cgroup, enum cgroup_controller controller, const char *v1,
		  const char *v2);
