/* SPDX-License-Identifier: Apache-2.0 */
/* `ctr run --init`: a small first process in front of the program, in a file of its own. */
#pragma once

#include "base/err.h"
#include "spec/oci_config.h"

/* Writes the program into the container's folder. */
int config_init_write(int dirfd, struct err *err);

/* Mounts it, from the folder dir, and puts it in front of the arguments. */
int config_init_build(const char *dir, struct oci_config *config, struct err *err);
