/* SPDX-License-Identifier: Apache-2.0 */
/* An engine: two folders, and what others left there swept up. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/sweep.h"

/* Owned by the caller, NULL with err set. The path need not exist. */
static char *make_absolute(const char *path, struct err *err)
{
	char cwd[PATH_MAX] = "", whole[PATH_MAX], *copy;

	if (!*path) {
		err_say(err, EINVAL, "the path of a folder is empty");
		return NULL;
	}
	if (*path != '/' && !getcwd(cwd, sizeof(cwd))) {
		err_set(err, errno, "find the working folder");
		return NULL;
	}
	if (path_join(whole, sizeof(whole), *cwd ? cwd : "/", path, err) < 0)
		return NULL;
	path_clean(whole);
	copy = strdup(whole);
	if (!copy)
		err_set(err, ENOMEM, "open engine");
	return copy;
}

int engine_open(const char *root, const char *runroot, struct engine **ret, struct err *err)
{
	_cleanup_engine_ struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return err_set(err, ENOMEM, "open engine");
	engine->root = make_absolute(root ? root : ENGINE_ROOT_DEFAULT, err);
	if (engine->root)
		engine->runroot = make_absolute(runroot ? runroot : ENGINE_RUNROOT_DEFAULT, err);
	if (!engine->runroot)
		return err_add(err, "open engine");
	engine_sweep(engine->root, engine->runroot);
	*ret = take_ptr(engine);
	return 0;
}

struct engine *engine_close(struct engine *engine)
{
	if (engine) {
		free(engine->root);
		free(engine->runroot);
		free(engine);
	}
	return NULL;
}

const char *engine_root(const struct engine *engine)
{
	return engine->root;
}

const char *engine_runroot(const struct engine *engine)
{
	return engine->runroot;
}
