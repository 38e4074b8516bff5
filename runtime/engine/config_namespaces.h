/* SPDX-License-Identifier: Apache-2.0 */
/* linux.namespaces, and what follows from them. */
#pragma once

#include "runtime/engine/config_build.h"

void config_namespaces_build(const struct config_input *input, struct oci_config *config);

/* Mounts that another's namespaces change: how /dev/shm and /sys/fs/cgroup come. NULL: as ever. */
struct config_ns_mount {
	const char *source; /* bound in place of the file system; NULL: nothing is mounted */
};
const struct config_ns_mount *config_namespaces_mount(const struct config_input *input,
						      const char *target,
						      struct config_ns_mount *buf);
