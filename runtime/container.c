/* SPDX-License-Identifier: Apache-2.0 */
/* The object: opening, reading on demand, letting go. What changes a container has a file a verb.
 */
#include "runtime/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "runtime/annotations.h"
#include "runtime/container_struct.h"
#include "runtime/folder.h"

#define ID_BYTES_MAX 255

bool container_id_is_valid(const char *id)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
	size_t len = strlen(id);

	return len > 0 && len <= ID_BYTES_MAX && id[0] != '.' && strspn(id, allowed) == len;
}

int container_new(const char *root, const char *id, int dirfd, struct container **ret,
		  struct err *err)
{
	_cleanup_container_ struct container *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, ENOMEM, "open container %s", id);
	c->dirfd = c->pidfd = c->console_fd = -1;
	c->launch = LAUNCH_NONE;
	c->arena = arena_new();
	c->cache = calloc(1, sizeof(*c->cache));
	if (!c->arena || !c->cache)
		return err_set(err, ENOMEM, "open container %s", id);
	c->root = arena_strdup(c->arena, root);
	c->id = arena_strdup(c->arena, id);
	if (!c->root || !c->id)
		return err_set(err, ENOMEM, "open container %s", id);
	c->dirfd = dirfd;
	*ret = take_ptr(c);
	return 0;
}

struct container *container_free(struct container *c)
{
	if (!c)
		return NULL;
	if (c->cache) {
		oci_config_free(c->cache->config);
		cgroup_free(c->cache->cgroup);
	}
	free(c->cache);
	/* The launch's pidfd is ours under another name. */
	if (c->launch.pidfd == c->pidfd)
		c->launch.pidfd = -1;
	launch_deinit(&c->launch);
	cleanup_fd(&c->pidfd);
	cleanup_fd(&c->console_fd);
	cleanup_fd(&c->dirfd);
	arena_free(c->arena);
	free(c);
	return NULL;
}

/* Invariant 2: opened first and compared afterwards, so that the pid cannot change hands between.
 */
static void open_init(struct container *c)
{
	_cleanup_fd_ int fd = -1;
	uint64_t ticks;

	if (c->record.pid <= 0)
		return;
	fd = process_pidfd_open(c->record.pid);
	if (fd < 0 || process_start_time(c->record.pid, &ticks) < 0 ||
	    ticks != c->record.start_ticks)
		return;
	c->pidfd = take_fd(&fd);
}

int container_open_damaged(const char *root, const char *id, struct container **ret,
			   struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	_cleanup_fd_ int dirfd = -1;
	int r;

	if (!container_id_is_valid(id))
		return err_say(err, EINVAL, "invalid container ID format: '%s'", id);
	if (!root)
		root = CONTAINER_ROOT_DEFAULT;
	dirfd = folder_open(root, id, err);
	if (dirfd < 0)
		return dirfd;
	r = container_new(root, id, dirfd, &c, err);
	if (r < 0)
		return r;
	take_fd(&dirfd);
	r = record_load(c->dirfd, c->arena, &c->record, err);
	if (r < 0)
		return err_add(err, "container %s", id);
	open_init(c);
	*ret = take_ptr(c);
	return 0;
}

int container_open(const char *root, const char *id, struct container **ret, struct err *err)
{
	_cleanup_container_ struct container *c = NULL;
	int r = container_open_damaged(root, id, &c, err);

	/* Its creator may have been writing it. */
	if (r == 0 && c->record.damage && !folder_is_busy(c->dirfd)) {
		c = container_free(c);
		r = container_open_damaged(root, id, &c, err);
	}
	if (r < 0)
		return r;
	if (c->record.damage && !folder_is_busy(c->dirfd))
		return err_say(err, EBADMSG, "container %s: %s", id, c->record.damage);
	*ret = take_ptr(c);
	return 0;
}

int container_blur(int r, struct err *err)
{
	if (r != -ENOENT && r != -EACCES && r != -ENOEXEC)
		return r;
	if (err)
		err->code = EIO;
	return -EIO;
}

int container_lock(struct container *c, struct err *err)
{
	int r = folder_lock(c->dirfd, err);

	if (r == 0 && !c->record.ready) {
		cleanup_fd(&c->pidfd);
		c->pidfd = -1;
		r = record_load(c->dirfd, c->arena, &c->record, err);
		open_init(c);
		if (r < 0)
			folder_unlock(c->dirfd);
	}
	return r < 0 ? r : 0;
}

/* The document as it was at create, so what annotations changed then is changed again. */
static int load_config(const struct container *c, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;

	err_try(oci_config_load(c->dirfd, FOLDER_CONFIG, &config, err));
	err_try(annotations_apply(config, err));
	c->cache->config = take_ptr(config);
	return 0;
}

int container_load_config(const struct container *c, const struct oci_config **ret, struct err *err)
{
	int r = 0;

	if (c->config) {
		*ret = c->config;
		return 0;
	}
	if (!c->cache->config)
		r = load_config(c, err);
	if (r < 0)
		return err_add(err, "container %s", c->id);
	*ret = c->cache->config;
	return 0;
}

int container_load_cgroup(const struct container *c, struct cgroup **ret, struct err *err)
{
	int r = 0;

	if (!c->cache->cgroup && !c->record.cgroup_path)
		return err_say(err, ENOENT, "container %s has no cgroup", c->id);
	if (!c->cache->cgroup && c->record.systemd_unit)
		r = cgroup_open_unit(c->record.cgroup_path, c->record.systemd_unit,
				     c->record.systemd_user, &c->cache->cgroup, err);
	else if (!c->cache->cgroup)
		r = cgroup_open(c->record.cgroup_path, &c->cache->cgroup, err);
	if (r < 0)
		return r;
	*ret = c->cache->cgroup;
	return 0;
}

int container_wait_dead(const struct container *c, struct err *err)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	int r;

	if (c->pidfd < 0)
		return 0;
	do
		r = poll(&p, 1, 10000);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, errno, "wait for the end of process %d", c->record.pid);
	if (r == 0)
		return err_say(err, ETIMEDOUT, "process %d of container %s does not die",
			       c->record.pid, c->id);
	return 0;
}

const char *container_id(const struct container *c)
{
	return c->id;
}

pid_t container_pid(const struct container *c)
{
	return c->record.pid;
}

int container_pidfd(const struct container *c)
{
	return c->pidfd;
}

const char *container_bundle(const struct container *c)
{
	return c->record.bundle;
}

const struct oci_config *container_config(const struct container *c)
{
	const struct oci_config *config;

	return container_load_config(c, &config, NULL) < 0 ? NULL : config;
}

const struct cgroup *container_cgroup(const struct container *c)
{
	struct cgroup *cgroup;

	return container_load_cgroup(c, &cgroup, NULL) < 0 ? NULL : cgroup;
}

int container_take_console(struct container *c)
{
	return take_fd(&c->console_fd);
}
