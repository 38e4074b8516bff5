/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/root_view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "isolation/init/syscalls.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta.h"
#include "runtime/mount_child.h"
#include "runtime/engine/stage.h"
#include "runtime/engine/userns_fd.h"
#include "storage/store.h"
#include "storage/volume.h"

#define LOCK_WAIT_MS 10000

/* Of one that runs, and certainly of that one. */
static int open_running_root(struct engine *engine, const struct engine_container *c,
			     struct err *err)
{
	_cleanup_engine_container_ struct engine_container *again = NULL;
	_cleanup_fd_ int pidfd = process_pidfd_open(c->pid), fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)c->pid);
	fd = pidfd < 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || engine_find(engine, c->id, &again, NULL) < 0 || again->pid != c->pid ||
	    process_pidfd_signal(pidfd, 0) < 0)
		return err_say(err, ESRCH, "it ended right now; try again");
	return take_fd(&fd);
}

/* ---- one that does not run ---- */

struct job {
	const struct engine_container *container;
	int (*fn)(const void *data, const struct root_view *view, struct err *err);
	const void *data;
	const char *options;	    /* of its overlay */
	const char *const *sources; /* of its mounts; NULL: not shown */
};

/* The folder that a start would make for a mount. */
static int make_place(int root_fd, const char *target)
{
	_cleanup_free_ char *path = strdup(target);
	int r = path ? 0 : -ENOMEM;

	for (char *at = path; r == 0 && at; *at = '/') {
		_cleanup_fd_ int parent = -1;
		char *name = at + strspn(at, "/");

		*at = '\0';
		parent = path_open_in_root(root_fd, *path ? path : "/", O_PATH | O_DIRECTORY, 0);
		*at = '/';
		at = strchr(name, '/');
		if (at)
			*at = '\0';
		if (parent < 0 || !path_is_name(name))
			return parent < 0 ? parent : -EINVAL;
		if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			r = -errno;
		if (!at)
			break;
	}
	return r;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A path of the host was resolved when the container was made: what is a symlink on it by now was
 * put there by somebody else, and a start would refuse it. */
static int open_source(const struct engine_mount *m, const char *source, unsigned flags)
{
	/* As config_mounts.c has it. */
	bool real = m->type == ENGINE_MOUNT_BIND && (m->real || strncmp(source, "/proc/", 6) != 0);

	return real ? sys_open_tree_real(source, flags)
		    : open_tree(AT_FDCWD, source, flags | OPEN_TREE_CLOEXEC);
}

/* With the mounts below it, and read-only, as in the container; so before it can be reached. */
static int show_mount(const struct engine_mount *m, const char *source, int place, int userns,
		      struct err *err)
{
	unsigned below = m->below == ENGINE_BELOW_NOTHING ? 0 : AT_RECURSIVE;
	_cleanup_fd_ int tree = open_source(m, source, OPEN_TREE_CLONE | below);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mount_attr mapped = { .attr_set = MOUNT_ATTR_IDMAP,
				     .userns_fd = userns < 0 ? 0 : (uint64_t)userns };
	unsigned how = AT_EMPTY_PATH | (m->below == ENGINE_BELOW_SAME ? AT_RECURSIVE : 0);

	if (tree < 0 && errno == ELOOP && m->type == ENGINE_MOUNT_BIND)
		return err_say(err, ELOOP, "show %s at %s: there is a symlink on the way now",
			       source, m->target);
	if (tree < 0 ||
	    (userns >= 0 && m->type == ENGINE_MOUNT_VOLUME &&
	     mount_setattr(tree, "", AT_EMPTY_PATH, &mapped, sizeof(mapped)) < 0) ||
	    (m->readonly && mount_setattr(tree, "", how, &attr, sizeof(attr)) < 0) ||
	    move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(err, errno, "show %s at %s", source, m->target);
	return 0;
}

static int show_mounts(const struct job *job, int root_fd, int userns, struct err *err)
{
	for (size_t i = 0; i < job->container->mounts_count; i++) {
		const struct engine_mount *m = &job->container->mounts[i];
		_cleanup_fd_ int place = -1;

		if (!job->sources[i])
			continue;
		place = path_open_in_root(root_fd, m->target, O_PATH, 0);
		if (place == -ENOENT && is_folder(job->sources[i]) &&
		    make_place(root_fd, m->target) == 0)
			place = path_open_in_root(root_fd, m->target, O_PATH, 0);
		/* A file's is made at the start, and nobody can mean it before. */
		if (place >= 0)
			err_try(show_mount(m, job->sources[i], place, userns, err));
	}
	return 0;
}

/* One layer of the overlay, in the current folder. */
static int map_layer(const char *layer, const char *name, int userns, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	_cleanup_fd_ int tree = open_tree(AT_FDCWD, layer, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mkdir(name, 0700) < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(err, errno, "show layer %s with the container's ids", layer);
	return 0;
}

/* "lowerdir=A:B,upperdir=..." with the layers mounted anew as 0, 1, ... */
static int map_layers(const char *options, int userns, struct strbuf *ret, struct err *err)
{
	const char *at = options + strlen("lowerdir="), *end = strchrnul(at, ',');

	strbuf_adds(ret, "lowerdir=");
	for (int i = 0; at < end; i++) {
		size_t len = strcspn(at, ":,");
		_cleanup_free_ char *layer = strndup(at, len);
		char name[16];

		if (!layer)
			return err_set(err, ENOMEM, "mount its root file system");
		snprintf(name, sizeof(name), "%d", i);
		err_try(map_layer(layer, name, userns, err));
		strbuf_addf(ret, "%s%s", i ? ":" : "", name);
		at += len + (at[len] == ':');
	}
	strbuf_adds(ret, end);
	return strbuf_ok(ret) ? 0 : err_set(err, ENOMEM, "mount its root file system");
}

/* With layers that show the container's ids as the host's of its range, as where it runs. They lie
 * below the place of the overlay, which hides them then. */
static int mount_mapped(const struct job *job, const char *place, int userns, struct err *err)
{
	_cleanup_strbuf_ struct strbuf options = { 0 };

	if (mount("tmpfs", place, "tmpfs", 0, "mode=700") < 0 || chdir(place) < 0)
		return err_set(err, errno, "make room for its layers");
	err_try(map_layers(job->options, userns, &options, err));
	if (mount("overlay", place, "overlay", MS_NOEXEC | MS_NODEV, options.data) < 0)
		return err_set(err, errno, "mount its root file system");
	return 0;
}

static int look(const void *data, struct err *err)
{
	const struct job *job = data;
	uint32_t base = job->container->namespaces.id_base;
	_cleanup_fd_ int root_fd = -1, userns = -1;
	struct root_view view = { .shift = -(int64_t)base };
	char path[PATH_MAX];

	err_try(layout_path(path, job->container->dir, LAYOUT_ROOTFS, NULL, err));
	if (base) {
		userns = userns_fd_open(base, err);
		if (userns < 0)
			return userns;
		err_try(mount_mapped(job, path, userns, err));
	} else if (mount("overlay", path, "overlay", MS_NOEXEC | MS_NODEV, job->options) < 0) {
		return err_set(err, errno, "mount its root file system");
	}
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, errno, "open its root file system");
	if (job->sources)
		err_try(show_mounts(job, root_fd, userns, err));
	view.root_fd = root_fd;
	return job->fn(job->data, &view, err);
}

static int find_sources(struct engine *engine, const struct engine_container *c,
			struct arena *arena, const char *const **ret, struct err *err)
{
	const char **sources = arena_calloc(arena, c->mounts_count + 1, sizeof(*sources));

	if (!sources)
		return err_set(err, ENOMEM, "look into a container");
	for (size_t i = 0; i < c->mounts_count; i++)
		if (c->mounts[i].type == ENGINE_MOUNT_VOLUME)
			sources[i] = volume_data_path(engine->root, c->mounts[i].source, arena);
		else if (c->mounts[i].type == ENGINE_MOUNT_BIND)
			sources[i] = c->mounts[i].source;
	*ret = sources;
	return 0;
}

static int run_stopped(struct engine *engine, struct job *job, bool mounts, struct err *err)
{
	const struct engine_container *c = job->container;
	struct store_image image = { .layers = c->layers };
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, err), lock = -1;
	_cleanup_engine_container_ struct engine_container *now = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store *store = NULL;

	if (containers_fd < 0 || !arena)
		return arena ? containers_fd : err_set(err, ENOMEM, "look into a container");
	lock = stage_lock(containers_fd, c->id, false, LOCK_WAIT_MS, err);
	if (lock < 0)
		return lock;
	err_try(engine_load(engine, lock, c->id, &now, err));
	if (now->pid || strcmp(now->status, "restarting") == 0)
		return err_say(err, EAGAIN, "it was started right now; try again");
	err_try(store_open(engine->root, &store, err));
	while (image.layers && image.layers[image.layers_count])
		image.layers_count++;
	err_try(store_overlay_options(store, &image, c->dir, false, arena, &job->options, err));
	if (mounts)
		err_try(find_sources(engine, c, arena, &job->sources, err));
	return mount_child_run(look, job, err);
}

int root_view_run(struct engine *engine, const struct engine_container *container, bool mounts,
		  int (*fn)(const void *data, const struct root_view *view, struct err *err),
		  const void *data, struct err *err)
{
	struct job job = { .container = container, .fn = fn, .data = data };
	_cleanup_fd_ int root_fd = -1;
	struct root_view view = { .shift = -(int64_t)container->namespaces.id_base };
	int r;

	if (!container->pid) {
		r = run_stopped(engine, &job, mounts, err);
	} else {
		root_fd = open_running_root(engine, container, err);
		view.root_fd = root_fd;
		r = root_fd < 0 ? root_fd : fn(data, &view, err);
	}
	return r < 0 ? err_add(err, "container %s", container->name) : r;
}
