/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. The container's root is an open folder: of a running one /proc/PID/root,
 * certain to be its by its pidfd; of another one its overlay, mounted by a child in a mount
 * namespace of its own, under the lock of who makes and removes, so that nobody starts it
 * meanwhile. Both ends are found first, those inside by openat2 in that root; then tree_move.h
 * copies between descriptors.
 */
#include "runtime/engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/stage.h"
#include "runtime/engine/tree_move.h"
#include "storage/store.h"
#include "storage/volume.h"

#define LOCK_WAIT_MS 10000

/* An end of the copy: root_fd -1 is the host's. */
struct place {
	int root_fd;
	const char *path;
};

static int place_open(const struct place *place, const char *path, int flags)
{
	int fd;

	if (place->root_fd >= 0)
		return path_open_in_root(place->root_fd, path, (uint64_t)flags, 0);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* "/a/b/": "b"; "" where there is no name in it. */
static void last_name(const char *path, char ret[static NAME_MAX + 1])
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	snprintf(ret, NAME_MAX + 1, "%.*s", (int)(end - start), path + start);
	if (!path_is_name(ret))
		*ret = '\0';
}

/* The folder that holds the last name. */
static int open_parent(const struct place *place, struct err *err)
{
	_cleanup_free_ char *path = strdup(place->path);
	char *slash;
	int fd;

	if (!path)
		return err_set(err, ENOMEM, "copy");
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';)
		path[--n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		slash[1] = '\0';
	fd = place_open(place,
			slash		      ? path
			: place->root_fd >= 0 ? "/"
					      : ".",
			O_RDONLY | O_DIRECTORY);
	return fd < 0 ? err_set(err, -fd, "open the folder of %s", place->path) : fd;
}

static bool is_content(const char *path)
{
	size_t len = strlen(path);

	return strcmp(path, ".") == 0 || strcmp(path, "/") == 0 ||
	       (len >= 2 && strcmp(path + len - 2, "/.") == 0);
}

static int copy_between(const struct tree_move *move, const struct place *from, bool follow,
			const struct place *to, struct err *err)
{
	_cleanup_fd_ int source = place_open(from, from->path, O_PATH | (follow ? 0 : O_NOFOLLOW));
	_cleanup_fd_ int target = -1;
	char name[NAME_MAX + 1];
	struct stat st;
	bool folder;

	if (source < 0 || fstat(source, &st) < 0)
		return err_set(err, source < 0 ? -source : errno, "open %s", from->path);
	folder = S_ISDIR(st.st_mode);
	target = place_open(to, to->path, O_RDONLY | O_DIRECTORY);
	if (target >= 0) {
		if (folder && is_content(from->path))
			return tree_move_content(move, source, target, err);
		last_name(from->path, name);
		return *name ? tree_move_entry(move, source, target, name, err)
			     : err_say(err, EINVAL, "%s has no name to be copied under",
				       from->path);
	}
	last_name(to->path, name);
	if (!*name || (!folder && to->path[strlen(to->path) - 1] == '/'))
		return err_set(err, -target, "open folder %s", to->path);
	target = open_parent(to, err);
	return target < 0 ? target : tree_move_entry(move, source, target, name, err);
}

static int copy_in_root(const struct engine_container *c, const struct engine_copy *copy,
			int root_fd, struct err *err)
{
	uint32_t base = c->namespaces.id_base;
	const struct place inside = { root_fd, copy->inside }, outside = { -1, copy->outside };
	const struct tree_move move = {
		.keep_owner = copy->keep_owner,
		.owner_uid = copy->into ? base : geteuid(),
		.owner_gid = copy->into ? base : getegid(),
		.shift = copy->into ? (int64_t)base : -(int64_t)base,
	};

	return copy->into ? copy_between(&move, &outside, copy->follow, &inside, err)
			  : copy_between(&move, &inside, copy->follow, &outside, err);
}

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
	const struct engine_copy *copy;
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

/* With the mounts below it, and read-only, as in the container; so before it can be reached. */
static int show_mount(const struct engine_mount *m, const char *source, int place, struct err *err)
{
	unsigned below = m->below == ENGINE_BELOW_NOTHING ? 0 : AT_RECURSIVE;
	_cleanup_fd_ int tree =
		open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	unsigned how = AT_EMPTY_PATH | (m->below == ENGINE_BELOW_SAME ? AT_RECURSIVE : 0);

	if (tree < 0 || (m->readonly && mount_setattr(tree, "", how, &attr, sizeof(attr)) < 0) ||
	    move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(err, errno, "show %s at %s", source, m->target);
	return 0;
}

static int show_mounts(const struct job *job, int root_fd, struct err *err)
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
			err_try(show_mount(m, job->sources[i], place, err));
	}
	return 0;
}

static int copy_in_child(const struct job *job, struct err *err)
{
	_cleanup_fd_ int root_fd = -1;
	char path[PATH_MAX];

	err_try(layout_path(path, job->container->dir, LAYOUT_ROOTFS, NULL, err));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, errno, "detach from the host's mounts");
	if (mount("overlay", path, "overlay", MS_NOEXEC | MS_NODEV, job->options) < 0)
		return err_set(err, errno, "mount its root file system");
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, errno, "open its root file system");
	err_try(show_mounts(job, root_fd, err));
	return copy_in_root(job->container, job->copy, root_fd, err);
}

static void run_child(const struct job *job, pid_t parent, int report_fd)
{
	struct err err = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	if (copy_in_child(job, &err) == 0)
		err_clear(&err);
	_exit(fd_write_all(report_fd, &err, sizeof(err)) < 0);
}

static int run(const struct job *job, struct err *err)
{
	_cleanup_fd_ int pidfd = -1, reader = -1, writer = -1;
	struct err report = { 0 };
	pid_t parent = getpid(), pid;
	int ends[2], status, r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	reader = ends[0];
	writer = ends[1];
	pid = process_clone(CLONE_NEWNS, -1, &pidfd);
	if (pid == 0)
		run_child(job, parent, writer);
	if (pid < 0)
		return err_set(err, -pid, "start a process in a mount namespace of its own");
	close(take_fd(&writer));
	r = fd_read_exact(reader, &report, sizeof(report));
	process_wait(pidfd, &status);
	if (r < 0)
		return err_say(err, ECHILD, "the process that copied was killed");
	report.text[ERR_TEXT_MAX - 1] = '\0';
	return report.code ? err_say(err, report.code, "%s", report.text) : 0;
}

static int find_sources(struct engine *engine, const struct engine_container *c,
			struct arena *arena, const char *const **ret, struct err *err)
{
	const char **sources = arena_calloc(arena, c->mounts_count + 1, sizeof(*sources));

	if (!sources)
		return err_set(err, ENOMEM, "copy");
	for (size_t i = 0; i < c->mounts_count; i++)
		if (c->mounts[i].type == ENGINE_MOUNT_VOLUME)
			sources[i] = volume_data_path(engine->root, c->mounts[i].source, arena);
		else if (c->mounts[i].type == ENGINE_MOUNT_BIND)
			sources[i] = c->mounts[i].source;
	*ret = sources;
	return 0;
}

static int copy_stopped(struct engine *engine, const struct engine_container *c,
			const struct engine_copy *copy, struct err *err)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, err), lock = -1;
	_cleanup_engine_container_ struct engine_container *now = NULL;
	struct store_image image = { .layers = c->layers };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store *store = NULL;
	struct job job = { .container = c, .copy = copy };

	if (containers_fd < 0 || !arena)
		return arena ? containers_fd : err_set(err, ENOMEM, "copy");
	if (c->namespaces.id_base)
		return err_say(err, EOPNOTSUPP,
			       "it has a user namespace of its own; start it first");
	lock = stage_lock(containers_fd, c->id, false, LOCK_WAIT_MS, err);
	if (lock < 0)
		return lock;
	err_try(engine_load(engine, lock, c->id, &now, err));
	if (now->pid || strcmp(now->status, "restarting") == 0)
		return err_say(err, EAGAIN, "it was started right now; try again");
	while (image.layers && image.layers[image.layers_count])
		image.layers_count++;
	err_try(store_open(engine->root, &store, err));
	err_try(store_overlay_options(store, &image, c->dir, false, arena, &job.options, err));
	err_try(find_sources(engine, c, arena, &job.sources, err));
	return run(&job, err);
}

int engine_copy(struct engine *engine, const struct engine_container *container,
		const struct engine_copy *copy, struct err *err)
{
	_cleanup_fd_ int root_fd = -1;
	int r;

	if (!container->pid) {
		r = copy_stopped(engine, container, copy, err);
	} else {
		root_fd = open_running_root(engine, container, err);
		r = root_fd < 0 ? root_fd : copy_in_root(container, copy, root_fd, err);
	}
	return r < 0 ? err_add(err, "container %s", container->name) : 0;
}
