/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/engine/change.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/renew.h"
#include "runtime/shim/client.h"

static int open_dir(const struct engine_container *c, struct err *err)
{
	return dir_open(AT_FDCWD, c->dir, err);
}

static int path_of(const struct engine_container *c, const char *name, char path[static PATH_MAX],
		   struct err *err)
{
	return snprintf(path, PATH_MAX, "%s/%s", c->dir, name) < PATH_MAX
		       ? 0
		       : err_set(err, ENAMETOOLONG, "checkpoint container %s", c->name);
}

/* The images are on the disk before their name says that they are whole. */
static int publish(int dirfd, struct err *err)
{
	_cleanup_fd_ int images = dir_open(dirfd, LAYOUT_CHECKPOINT_NEW, err);

	if (images < 0)
		return images;
	if (syncfs(images) < 0 ||
	    renameat(dirfd, LAYOUT_CHECKPOINT_NEW, dirfd, LAYOUT_CHECKPOINT) < 0 ||
	    fsync(dirfd) < 0)
		return err_set(err, errno, "keep a checkpoint");
	return 0;
}

static int take(struct engine *engine, const struct engine_container *c, int patience_s,
		struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char path[PATH_MAX];

	err_try(path_of(c, LAYOUT_CHECKPOINT_NEW, path, err));
	err_try(engine_connect(engine, c, &client, err));
	return shim_checkpoint(client, c->id, path, patience_s, err);
}

/* Without what says where CRIU's log is, which is removed, and which container it is. */
static void shorten(const struct engine_container *c, struct err *err)
{
	char *log = strstr(err->text, " (dump.log"), *id = strstr(err->text, c->id);

	if (log)
		*log = '\0';
	if (id && strncmp(id + strlen(c->id), ": ", 2) == 0)
		memmove(err->text, id + strlen(c->id) + 2, strlen(id + strlen(c->id) + 2) + 1);
}

int engine_checkpoint(struct engine *engine, const struct engine_container *container,
		      int patience_s, struct err *err)
{
	_cleanup_fd_ int dirfd = open_dir(container, err);
	int r;

	if (dirfd < 0)
		return dirfd;
	/* While a failure costs nothing: an old one would be in the way of the new name. */
	err_try(engine_drop_checkpoint(container, err));
	err_try(tree_remove(dirfd, LAYOUT_CHECKPOINT_NEW, err));
	r = take(engine, container, patience_s, err);
	if (r == -ETIMEDOUT) {
		err_clear(err);
		err_say(err, ETIMEDOUT, "criu was not done after %d s", patience_s);
	}
	if (r == 0)
		r = publish(dirfd, err);
	/* CRIU may still be writing. */
	if (r < 0 && r != -ETIMEDOUT)
		tree_remove(dirfd, LAYOUT_CHECKPOINT_NEW, NULL);
	if (r < 0 && err)
		shorten(container, err);
	return r;
}

static bool has(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, 0) == 0;
}

bool engine_has_checkpoint(const struct engine_container *container)
{
	_cleanup_fd_ int dirfd = open_dir(container, NULL);

	if (dirfd < 0 || !has(dirfd, LAYOUT_CHECKPOINT))
		return false;
	/* Who started it may have been killed right then. */
	return !has(dirfd, LAYOUT_CHECKPOINT_USED) || !has(dirfd, LAYOUT_STARTED);
}

int engine_call_restore_off(const struct engine_container *container, struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	_cleanup_fd_ int dirfd = open_dir(container, err);

	if (dirfd < 0)
		return dirfd;
	if (container->pid || !container->shim_address || !has(dirfd, LAYOUT_CHECKPOINT) ||
	    !has(dirfd, LAYOUT_CHECKPOINT_USED) || !has(dirfd, LAYOUT_STARTED) ||
	    has(dirfd, LAYOUT_EXIT))
		return 0;
	/* Without a shim nobody restores anything. */
	if (shim_connect(container->shim_address, &client, NULL) < 0)
		return 0;
	/* Which refuses what runs. */
	err_try(shim_delete(client, container->id, NULL, NULL, err));
	if (unlinkat(dirfd, LAYOUT_STARTED, 0) < 0 && errno != ENOENT)
		return err_set(err, errno, "call off the restore of container %s", container->name);
	return 0;
}

int engine_drop_checkpoint(const struct engine_container *container, struct err *err)
{
	_cleanup_fd_ int dirfd = open_dir(container, err);

	if (dirfd < 0)
		return dirfd;
	/* CRIU may be writing to the other folder. */
	if (!has(dirfd, LAYOUT_CHECKPOINT) && !has(dirfd, LAYOUT_CHECKPOINT_USED))
		return 0;
	err_try(tree_remove(dirfd, LAYOUT_CHECKPOINT_NEW, err));
	/* At once, and not image by image; and on the disk before it is forgotten why. */
	if (renameat(dirfd, LAYOUT_CHECKPOINT, dirfd, LAYOUT_CHECKPOINT_NEW) < 0 && errno != ENOENT)
		return err_set(err, errno, "drop a checkpoint");
	if (fsync(dirfd) < 0 || (unlinkat(dirfd, LAYOUT_CHECKPOINT_USED, 0) < 0 && errno != ENOENT))
		return err_set(err, errno, "drop a checkpoint");
	return tree_remove(dirfd, LAYOUT_CHECKPOINT_NEW, err);
}

/* It runs by now, whatever becomes of the images. */
static void drop_used(const struct engine_container *c)
{
	struct err err = { 0 };

	if (engine_drop_checkpoint(c, &err) < 0)
		log_warn("container %s: %s", c->name, err.text);
}

static int mark_used(const struct engine_container *c, struct err *err)
{
	_cleanup_fd_ int dirfd = open_dir(c, err), fd = -1;

	if (dirfd < 0)
		return dirfd;
	fd = openat(dirfd, LAYOUT_CHECKPOINT_USED, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fsync(dirfd) < 0)
		return err_set(err, errno, "go on from a checkpoint");
	return 0;
}

/* In what its cgroup is made by. */
static int give_cpu(const struct engine_container *c, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_fd_ int dirfd = open_dir(c, err);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (dirfd < 0)
		return dirfd;
	err_try(oci_config_load(dirfd, LAYOUT_CONFIG, &config, err));
	config->resources.cpu.idle.set = config->resources.cpu.shares.set = false;
	err_try(oci_config_format(config, &text, &len, err));
	return file_replace(dirfd, LAYOUT_CONFIG, text, len, 0600, false, err);
}

int engine_restore(struct engine *engine, const struct engine_container *container,
		   const struct engine_restore_options *options, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *ready = NULL;
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char path[PATH_MAX];
	int r;

	/* Somebody who was killed had asked for it, and its shim has done it. */
	if (strcmp(container->status, "running") == 0 &&
	    strcmp(container->name, options->name) == 0) {
		drop_used(container);
		return 0;
	}
	err_try(path_of(container, LAYOUT_CHECKPOINT, path, err));
	err_try(change_identity(engine, container, options->name, &options->labels, err));
	if (options->cpu_as_others)
		err_try(give_cpu(container, err));
	err_try(renew_from(engine, container, path, options->criu, &ready, err));
	r = engine_connect(engine, ready, &client, err);
	if (r == 0 && options->before)
		r = options->before(options->data, ready, client, err);
	if (r == 0)
		r = mark_used(ready, err);
	if (r == 0)
		r = engine_start(engine, ready, client, err);
	if (r == 0)
		drop_used(ready);
	return r;
}
