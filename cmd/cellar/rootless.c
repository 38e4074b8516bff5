/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/rootless.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/userns.h"

enum container_rootless rootless_mode(const struct cellar_globals *globals)
{
	if (!globals->rootless || strcmp(globals->rootless, "auto") == 0)
		return CONTAINER_ROOTLESS_AUTO;
	return strcmp(globals->rootless, "true") == 0 ? CONTAINER_ROOTLESS : CONTAINER_NOT_ROOTLESS;
}

/*
 * As runc decides: whoever is not root; root of a user namespace, unless it calls itself root. The
 * real root's XDG_RUNTIME_DIR belongs to one session and is not looked at.
 */
static bool is_for_us(void)
{
	const char *user = getenv("USER");

	if (geteuid() != 0)
		return true;
	return getenv("XDG_RUNTIME_DIR") && !userns_is_initial() &&
	       (!user || strcmp(user, "root") != 0);
}

static int find_runtime_dir(char *buf, size_t size, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (dir && dir[0] == '/' && strlen(dir) < size) {
		strcpy(buf, dir);
		return 0;
	}
	snprintf(buf, size, "/run/user/%u", geteuid());
	if (stat(buf, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		return 0;
	return err_say(
		err, ENOENT,
		"no folder for the state of containers: XDG_RUNTIME_DIR is %s, and there is no "
		"%s; set it to a folder of yours, or give --root",
		dir && *dir ? "no absolute path" : "not set", buf);
}

int rootless_set_root(struct cellar_globals *globals, bool make, struct err *err)
{
	static char root[PATH_MAX];
	char dir[PATH_MAX];

	if (!is_for_us())
		return 0;
	err_try(find_runtime_dir(dir, sizeof(dir), err));
	err_try(path_join(root, sizeof(root), dir, "cellar", err));
	globals->root = root;
	/* The sticky bit keeps it from those who clean up there (XDG Base Directory). */
	if (make && mkdir(root, 0700) == 0)
		(void)!chmod(root, 01700);
	return 0;
}
