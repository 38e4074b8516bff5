/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a container that is being made, by whoever makes cgroups here. */
#pragma once

#include "cgroups/cgroup.h"
#include "runtime/container.h"

/* By the path becomes one of the others. */
enum container_cgroups create_cgroup_maker(enum container_cgroups who,
					   const struct oci_config *config);

/* Where nobody is to make one, it is none (cgroup.h), and the limits of the document are warned
 * about. */
int create_cgroup(enum container_cgroups who, bool rootless, const struct oci_config *config,
		  const char *id, struct cgroup **ret, struct err *err);

/*
 * Sets limits and device rules. Where the container sees its own cgroup only and may write there
 * (cgroup v2, namespace of its own, mounted rw), the folder becomes its user's, as the
 * specification's "Cgroup ownership" has it.
 */
int create_cgroup_apply(struct cgroup *cgroup, const struct oci_config *config, struct err *err);

/* run.oci.delegate-cgroup is asked for. */
bool create_cgroup_wants_delegate(const struct cgroup *cgroup, const struct oci_config *config);

/* Does it: pid, which has its cgroup namespace by now, is moved into a folder of its own. */
int create_cgroup_delegate(const struct cgroup *cgroup, const struct oci_config *config, pid_t pid,
			   struct err *err);
