/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BUNDLE/cellar-shim.json: what the `delete` action, run when the shim itself is gone, has to know
 * about a container.
 */
#pragma once

#include "base/err.h"

int bundle_file_write(const char *bundle, const char *runtime_root, struct err *err);

/* ret_runtime_root is owned by the caller. -ENOENT when there is no file. */
int bundle_file_read(const char *bundle, char **ret_runtime_root, struct err *err);
