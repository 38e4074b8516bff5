/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a cgroup that is systemd's: its unit. For cgroups without one nothing happens. */
#pragma once

#include "cgroups/cgroup_folder.h"

/* Ends the placeholder. */
void cgroup_unit_release(struct cgroup *c);

/* See cgroup_settle(). */
int cgroup_unit_settle(struct cgroup *c, const struct oci_resources *res, struct err *err);

/* Tells systemd new limits. 1 when there were some that it knows, else 0. */
int cgroup_unit_update(const struct cgroup *c, const struct oci_resources *res, struct err *err);
