/* SPDX-License-Identifier: Apache-2.0 */
/* Where our programs are. PATH is not asked: it is the caller's, and we run as root. */
#include "base/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *const folders[] = {
	"/usr/local/libexec/cellar",
	"/usr/libexec/cellar",
	"/usr/local/bin",
	"/usr/bin",
};

int program_find(const char *name, char ret[static PATH_MAX], struct err *err)
{
	char own[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (n <= 0)
		return err_set(err, errno, "read /proc/self/exe");
	own[n] = '\0';
	slash = strrchr(own, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(folders); i++) {
		const char *folder = i ? folders[i - 1] : own;

		if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX ||
		    access(path, X_OK) < 0)
			continue;
		memcpy(ret, path, sizeof(path));
		return 0;
	}
	return err_say(err, ENOENT, "program %s: not found in %s, %s or %s; is Cellar installed?",
		       name, own, folders[0], folders[1]);
}
