/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files in an archive, as pure text. */
#pragma once

#include <limits.h>

/*
 * The clean name of what `target` means where it stands in the file `from` (a symlink's own name;
 * "": from the top). "." and ".." are resolved, '/' is the top. -EXDEV where it leads above the
 * top, -ENAMETOOLONG, -ENOENT where nothing is left.
 */
int import_name_clean(const char *from, const char *target, char ret[static PATH_MAX]);
