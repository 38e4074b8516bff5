/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controllers of cgroup2. A folder has the files of a controller when every folder above it has it
 * enabled in cgroup.subtree_control; the kernel refuses that (EBUSY) in a folder which holds
 * processes itself, the root of the hierarchy excepted.
 */
#pragma once

#include "cgroups/cgroup_folder.h"

/*
 * Enables in every folder above ours whatever can be, except what a v1 hierarchy has. What cannot
 * be enabled is no error before a limit asks for it; a threaded parent is (-EOPNOTSUPP).
 */
int cgroup_v2_enable(const struct cgroup *c, struct err *err);

/* Enables one controller for a field of linux.resources, or says why not: -EOPNOTSUPP. */
int cgroup_v2_require(const struct cgroup *c, enum cgroup_controller controller, const char *field,
		      struct err *err);

/* Whether a list as in cgroup.controllers has the word. */
bool cgroup_list_has(const char *list, const char *word);
