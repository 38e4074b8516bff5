/* SPDX-License-Identifier: Apache-2.0 */
/* Names of places on disk, put together. */
#include "runtime/engine/layout.h"

#include <errno.h>
#include <stdio.h>

int layout_path(char buf[static PATH_MAX], const char *base, const char *folder, const char *name,
		struct err *err)
{
	int n = name ? snprintf(buf, PATH_MAX, "%s/%s/%s", base, folder, name)
		     : snprintf(buf, PATH_MAX, "%s/%s", base, folder);

	if (n >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "path %s/%s", base, folder);
	return 0;
}
