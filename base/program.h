/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of ours that others start: beside the running one, or where they are installed. */
#pragma once

#include <limits.h>

#include "base/err.h"

/*
 * Looks for name in the folder of /proc/self/exe, then in /usr/local/libexec/cellar,
 * /usr/libexec/cellar, /usr/local/bin, /usr/bin. -ENOENT says where it was looked for.
 */
int program_find(const char *name, char ret[static PATH_MAX], struct err *err);
