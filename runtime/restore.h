/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of a container made from images, in place of a launch. */
#pragma once

#include "cgroups/cgroup.h"
#include "isolation/launch.h"
#include "runtime/container.h"

struct restore_job {
	const struct container_criu_options *options;
	const struct oci_config *config;
	const char *bundle, *rootfs; /* absolute */
	const struct cgroup *cgroup; /* NULL: none */
	const int *stdio;	     /* three fds for what were pipes, or NULL: our own */
	/* When the namespaces exist; NULL unless there is something to do. */
	int (*on_namespaces)(void *data, pid_t pid, struct err *err);
	void *data;
};

/* ret: pid, pidfd, the terminal's master or -1. They run. On failure nothing is left. */
int restore_run(const struct restore_job *job, struct launch *ret, struct err *err);
