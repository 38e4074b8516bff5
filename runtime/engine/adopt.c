/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/id.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/shim_process.h"
#include "runtime/engine/stage.h"
#include "runtime/shim/client.h"
#include "runtime/shim/journal.h"

#define LOCK_WAIT_MS 10000

/* It lives, or is to live again, and there is what another shim has to know. */
static bool is_orphan(const struct engine_container *c)
{
	static const char *const alive[] = { "running", "paused", "restarting" };
	char path[PATH_MAX];

	if (!journal_is_orphaned(c->dir))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(alive); i++)
		if (strcmp(c->status, alive[i]) == 0)
			return true;
	/* It ended after its shim had, and nobody has looked yet what is to follow. */
	return c->supervised && strcmp(c->status, "exited") == 0 &&
	       layout_path(path, c->dir, LAYOUT_EXIT, NULL, NULL) == 0 && access(path, F_OK) < 0;
}

static int start(struct engine *engine, const struct engine_container *c, struct shim_client **ret,
		 struct err *err)
{
	if (shim_process_start(engine->runroot, c->id, c->dir, true, ret, err) == 0)
		return 0;
	return err_add(err, "container %s has lost its supervisor, and gets no other", c->name);
}

int engine_adopt(struct engine *engine, const struct engine_container *container,
		 struct shim_client **ret, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *now = NULL;
	_cleanup_fd_ int containers_fd = -1, lock = -1;

	if (!is_orphan(container))
		return -ENOENT;
	/* Under the lock of who makes and removes: of two commands one starts it, and nobody for a
	 * container that goes. */
	containers_fd = stage_open_containers(engine->root, false, NULL);
	if (containers_fd >= 0)
		lock = stage_lock(containers_fd, container->id, false, LOCK_WAIT_MS, NULL);
	if (lock < 0 || engine_load(engine, lock, container->id, &now, NULL) < 0 || !is_orphan(now))
		return -ENOENT;
	if (shim_connect(now->shim_address, ret, NULL) == 0)
		return 0;
	return start(engine, now, ret, err);
}

static void tend_one(struct engine *engine, int containers_fd, const char *id)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	_cleanup_fd_ int fd = dir_open(containers_fd, id, NULL);
	struct err err = { 0 };
	int r;

	/* Of most there is nothing more to look at. */
	if (fd < 0 || faccessat(fd, LAYOUT_EXIT, F_OK, 0) == 0 ||
	    engine_load(engine, fd, id, &c, NULL) < 0)
		return;
	r = engine_adopt(engine, c, &client, &err);
	if (r < 0 && r != -ENOENT)
		log_warn("%s", err.text);
}

void engine_tend(struct engine *engine)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, NULL);
	int fd = containers_fd < 0 ? -1 : dir_open(containers_fd, ".", NULL);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX];

		if (id_is_valid(entry->d_name) &&
		    layout_path(path, engine->root, LAYOUT_CONTAINERS, entry->d_name, NULL) == 0 &&
		    journal_is_orphaned(path))
			tend_one(engine, containers_fd, entry->d_name);
	}
}
