/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a container's cgroup one more process is born, other than at its top. */
#pragma once

#include "cgroups/cgroup.h"

/*
 * cgroup_join_fds() for folders below the container's, which exist already. wanted:
 * NULL-terminated, "PATH" for all hierarchies or "CONTROLLER[,CONTROLLER]:PATH" for those of v1;
 * where none is named for a hierarchy, it is the container's own folder. No path leads out of that
 * one.
 */
int exec_cgroup_join_fds(const struct cgroup *cgroup, const char *const *wanted, int *ret_v2_fd,
			 int ret_task_fds[static CGROUP_HIERARCHIES_MAX], size_t *ret_count,
			 struct err *err);

/*
 * Whether cgroup2 refuses processes in the container's own folder, because it hands controllers to
 * folders below it (the kernel's rule of no inner processes). Then *v2_fd is replaced by the folder
 * that the container's init is in.
 */
bool exec_cgroup_is_divided(const struct cgroup *cgroup, pid_t init, int *v2_fd);
