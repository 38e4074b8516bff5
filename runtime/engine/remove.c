/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's end, whatever state it is in. Linked into the shim, which removes what was run with
 * --rm; so nothing here may need libmnl or the shim's client.
 *
 * Theory of operation. Every step finds its object by the id alone, takes "gone already" for done,
 * and can be repeated; the folder goes last, so that a removal that was killed can be found and
 * finished: by `rm` while the folder still has its place, by the next command of any kind once it
 * is in .tmp. Steps: 1 processes, cgroup and state (runtime); 2 mounts of the root filesystem;
 * 3 network namespace, with which the NIC goes, other mounts; 4 lease; 5 FIFOs, socket of a dead
 * shim; 6 the folder leaves its place; 7 the name; 8 its word for volumes, and the anonymous ones
 * where they are to go; 9 what is in the folder; 10 its range of ids.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup.h"
#include "netns/network.h"
#include "runtime/container.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/id.h"
#include "runtime/engine/id_ranges.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/names.h"
#include "runtime/engine/pins.h"
#include "runtime/engine/reset.h"
#include "runtime/engine/resolve.h"
#include "runtime/engine/stage.h"
#include "runtime/engine/sweep.h"
#include "runtime/engine/volume_users.h"
#include "spec/oci_config.h"

#define LOCK_WAIT_MS 10000
#define ADDRESS_LIMIT 4096

struct removal {
	const char *root, *runroot, *id;
	int containers_fd, fd; /* not owned */
	unsigned flags;
	struct arena *arena; /* of meta */
	struct meta meta;    /* all zero where it could not be read */
};

/* A damaged meta.json tells nothing, and there may be none. */
static int load_meta(struct removal *rm, struct err *err)
{
	rm->arena = arena_new();
	if (!rm->arena)
		return err_set(err, ENOMEM, "read " LAYOUT_META);
	if (meta_load(rm->fd, rm->arena, &rm->meta, NULL) < 0)
		rm->meta = (struct meta){ 0 };
	return 0;
}

static void removal_deinit(struct removal *rm)
{
	arena_free(rm->arena);
}

/* Without a state there may still be a cgroup, made by a runtime that was killed right then, or of
 * before /run was lost. */
static int destroy_cgroup(const struct removal *rm, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	char usual[sizeof("/cellar-") + LAYOUT_ID_SIZE];
	const char *path = usual;
	int r;

	snprintf(usual, sizeof(usual), "/cellar-%s", rm->id);
	/* It may lie in another one, as a task of a cell does. */
	if (oci_config_load(rm->fd, LAYOUT_CONFIG, &config, NULL) == 0 && config->cgroups_path)
		path = config->cgroups_path;
	r = cgroup_open(path, &cgroup, NULL);
	return r < 0 ? 0 : cgroup_destroy(cgroup, err);
}

static int end_processes(const struct removal *rm, struct err *err)
{
	bool force = rm->flags & ENGINE_REMOVE_FORCE;
	_cleanup_container_ struct container *container = NULL;
	enum oci_status status;
	int r = force ? container_open_damaged(rm->runroot, rm->id, &container, err)
		      : container_open(rm->runroot, rm->id, &container, err);

	if (r == -ENOENT || (r < 0 && force)) {
		err_clear(err);
		return r == -ENOENT && rm->flags & ENGINE_REMOVE_ENDED ? 0
								       : destroy_cgroup(rm, err);
	}
	if (r < 0)
		return r;
	status = container_status(container);
	if (!force && (status == OCI_RUNNING || status == OCI_PAUSED))
		return err_say(err, EBUSY, "it is %s; stop it first, or remove it by force (-f)",
			       oci_status_name(status));
	return container_delete(container, true, err);
}

/* The overlay, and whatever was mounted over it; what is mounted inside goes along. */
static int unmount_rootfs(const struct removal *rm, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/" LAYOUT_CONTAINERS "/%s/" LAYOUT_ROOTFS, rm->root,
		     rm->id) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "unmount the root filesystem");
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	/* EINVAL: not a mount point (any more). */
	if (errno != EINVAL && errno != ENOENT)
		return err_set(err, errno, "unmount %s", path);
	return 0;
}

/* Its entries in the index of names, which most have none of. */
static void remove_names(const struct removal *rm)
{
	if (rm->meta.id)
		resolve_index_remove(rm->root, &rm->meta);
}

static int remove_network(const struct removal *rm, struct err *err)
{
	char path[PATH_MAX];
	int r = layout_path(path, rm->runroot, LAYOUT_NETNS, rm->id, err);

	return r < 0 ? r : network_namespace_remove(path, err);
}

/* Its address is its own until it goes. */
static int remove_lease(const struct removal *rm, struct err *err)
{
	char path[PATH_MAX];
	int r = layout_path(path, rm->root, LAYOUT_NETWORKS, NULL, err);

	remove_names(rm);
	return r < 0 ? r : network_lease_release(path, rm->id, err);
}

/* By the folder's descriptor, because a path may be longer than a socket's address. */
static bool nobody_listens(int dirfd, const char *name)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd,
			 name);

	return fd >= 0 && (size_t)n < sizeof(address.sun_path) &&
	       connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
	       errno == ECONNREFUSED;
}

/* A shim unlinks its socket when it ends, unless it was killed. */
static void remove_socket(const struct removal *rm)
{
	static const char scheme[] = "unix://";
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int dirfd = -1;
	char folder[PATH_MAX];
	const char *name;

	if (file_read(rm->fd, LAYOUT_ADDRESS, ADDRESS_LIMIT, &text, NULL, NULL) < 0 ||
	    layout_path(folder, rm->runroot, LAYOUT_SHIM, NULL, NULL) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	name = strrchr(text, '/');
	/* Only what lies in our own folder. */
	if (!name || strncmp(text, scheme, sizeof(scheme) - 1) != 0 ||
	    strncmp(text + sizeof(scheme) - 1, folder, strlen(folder)) != 0 ||
	    text + sizeof(scheme) - 1 + strlen(folder) != name)
		return;
	dirfd = dir_open(AT_FDCWD, folder, NULL);
	if (dirfd >= 0 && nobody_listens(dirfd, name + 1))
		unlinkat(dirfd, name + 1, 0);
}

static int remove_fifos(const struct removal *rm, struct err *err)
{
	char path[PATH_MAX];
	int r = layout_path(path, rm->runroot, LAYOUT_IO, rm->id, err);

	return r < 0 ? r : tree_remove(AT_FDCWD, path, err);
}

static bool has_mark(const struct removal *rm, const char *name)
{
	return faccessat(rm->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A word on the disk, so that who finishes a removal that was killed knows it too. */
static int mark(const struct removal *rm, const char *name, struct err *err)
{
	_cleanup_fd_ int fd = openat(rm->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(err, errno, "create file %s", name) : 0;
}

static int remove_folder(struct removal *rm, struct err *err)
{
	char tmp[sizeof(".tmp/") + LAYOUT_ID_SIZE];
	char name[NAMES_MAX + 1];
	struct meta *meta = &rm->meta;
	int r;

	if (!meta->id && names_find_of(rm->containers_fd, rm->id, name) >= 0)
		meta->name = name;
	r = stage_withdraw(rm->containers_fd, rm->id, err);
	if (r == 0 && meta->name)
		r = names_release(rm->containers_fd, meta->name, rm->id, err);
	if (r < 0)
		return r;
	if (!(rm->flags & ENGINE_REMOVE_UNDO))
		event_log_append(rm->runroot,
				 &(struct engine_event){ "container", "destroy", rm->id, meta->name,
							 meta->image, NULL });
	/* From now on it is a user of volumes no more. */
	volume_users_release(rm->root, rm->runroot, &rm->containers_fd, meta,
			     meta->auto_remove || has_mark(rm, LAYOUT_REMOVE_VOLUMES));
	snprintf(tmp, sizeof(tmp), ".tmp/%s", rm->id);
	r = tree_remove(rm->containers_fd, tmp, err);
	/* When the last file with its ids has gone. After a kill in between nobody has the folder,
	 * and the next who looks for a range takes it. */
	if (r == 0 && meta->namespaces.id_base)
		r = id_ranges_release(rm->containers_fd, meta->namespaces.id_base, rm->id, err);
	return r;
}

static int remove_all(struct removal *rm, struct err *err)
{
	int r = load_meta(rm, err);

	if (r == 0)
		r = end_processes(rm, err);
	if (r == 0 && rm->flags & ENGINE_REMOVE_VOLUMES)
		r = mark(rm, LAYOUT_REMOVE_VOLUMES, err);
	if (r == 0)
		r = unmount_rootfs(rm, err);
	if (r == 0)
		r = remove_network(rm, err);
	if (r == 0)
		r = remove_lease(rm, err);
	if (r == 0)
		r = pins_remove(rm->runroot, rm->id, err);
	if (r == 0)
		r = remove_fifos(rm, err);
	if (r < 0)
		return r;
	remove_socket(rm);
	return remove_folder(rm, err);
}

int engine_remove(const char *root, const char *runroot, const char *id, unsigned flags,
		  struct err *err)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(root, false, err), fd = -1;
	_cleanup_(
		removal_deinit) struct removal rm = { root, runroot, id, containers_fd, -1, flags };
	int r;

	if (containers_fd < 0)
		return containers_fd == -ENOENT ? 0 : containers_fd;
	fd = stage_lock(containers_fd, id, false, LOCK_WAIT_MS, err);
	if (fd == -ENOENT)
		fd = stage_lock(containers_fd, id, true, LOCK_WAIT_MS, err);
	if (fd == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (fd < 0)
		return err_add(err, "container %.12s", id);
	rm.fd = fd;
	r = remove_all(&rm, err);
	return r < 0 ? err_add(err, "remove container %.12s", id) : 0;
}

int engine_reset(const char *root, const char *runroot, const char *id, int containers_fd, int fd,
		 struct err *err)
{
	const struct removal rm = { root, runroot, id, containers_fd, fd };

	err_try(end_processes(&rm, err));
	err_try(unmount_rootfs(&rm, err));
	err_try(remove_network(&rm, err));
	err_try(pins_remove(runroot, id, err));
	err_try(remove_fifos(&rm, err));
	remove_socket(&rm);
	return 0;
}

void engine_release(const char *root, const char *runroot, const char *id)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(root, false, NULL), fd = -1;
	struct removal rm = { root, runroot, id, containers_fd, -1 };
	struct err err = { 0 };

	/* Whoever holds the lock removes it all. */
	fd = containers_fd < 0 ? -1 : stage_lock(containers_fd, id, false, 0, NULL);
	if (fd < 0)
		return;
	if (remove_network(&rm, &err) < 0 || pins_remove(runroot, id, &err) < 0 ||
	    remove_fifos(&rm, &err) < 0)
		log_debug("release container %.12s: %s", id, err.text);
}

void engine_sweep(const char *root, const char *runroot)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(root, false, NULL);
	int tmp_fd = containers_fd < 0 ? -1 : dir_open(containers_fd, ".tmp", NULL);
	_cleanup_dir_ DIR *dir = tmp_fd < 0 ? NULL : fdopendir(tmp_fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_(removal_deinit) struct removal rm = {
			root, runroot, entry->d_name, containers_fd, -1, ENGINE_REMOVE_FORCE
		};
		_cleanup_fd_ int fd = -1;
		struct err err = { 0 };

		if (!id_is_valid(entry->d_name))
			continue;
		fd = stage_lock(containers_fd, entry->d_name, true, 0, NULL);
		if (fd < 0)
			continue;
		rm.fd = fd;
		if (remove_all(&rm, &err) < 0)
			log_debug("sweep container %.12s: %s", rm.id, err.text);
	}
}
