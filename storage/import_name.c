/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/import_name.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Takes the last part off. -1 where there is none. */
static int drop(char *path, size_t *len)
{
	if (*len == 0)
		return -1;
	while (*len > 0 && path[*len - 1] != '/')
		--*len;
	if (*len > 0)
		--*len;
	path[*len] = '\0';
	return 0;
}

int import_name_clean(const char *from, const char *target, char ret[static PATH_MAX])
{
	size_t len = 0;

	if (*target != '/' && *from) {
		len = strlen(from);
		if (len >= PATH_MAX)
			return -ENAMETOOLONG;
		memcpy(ret, from, len);
		drop(ret, &len);
	}
	while (*target) {
		size_t part = strcspn(target, "/");

		if (part == 2 && memcmp(target, "..", 2) == 0) {
			if (drop(ret, &len) < 0)
				return -EXDEV;
		} else if (part > 0 && !(part == 1 && *target == '.')) {
			if (len + part + 2 > PATH_MAX)
				return -ENAMETOOLONG;
			if (len > 0)
				ret[len++] = '/';
			memcpy(ret + len, target, part);
			len += part;
		}
		target += part;
		target += strspn(target, "/");
	}
	ret[len] = '\0';
	return len > 0 ? 0 : -ENOENT;
}
