/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces of a container while it is made: those of another container are found and held, its
 * /dev/shm is shared.
 *
 * Joining. A process number may be another's by the time it is used. So: 1 the container is found,
 * its init by pidfd; 2 the file of its namespace is opened; 3 the container is found again with
 * the same init, and the pidfd says it lives: then what was opened in between is its namespace; 4
 * it is mounted in a place of ours, which the runtime joins. That it is of the right type the
 * runtime checks.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/process.h"
#include "runtime/engine/config_build.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/pins.h"

static int find_running(struct creation *c, const char *name, struct engine_container **ret,
			struct err *err)
{
	_cleanup_engine_container_ struct engine_container *other = NULL;
	int r = engine_find(c->engine, name, &other, err);

	if (r < 0)
		return r;
	if (!other->pid ||
	    (strcmp(other->status, "running") != 0 && strcmp(other->status, "paused") != 0))
		return err_say(err, ESRCH, "container %s does not run, so there is nothing to join",
			       other->name);
	if (other->namespaces.user)
		return err_say(err, EOPNOTSUPP,
			       "container %s has a user namespace of its own, which keeps others "
			       "out",
			       other->name);
	*ret = take_ptr(other);
	return 0;
}

/* The file of a namespace of the container, which certainly is its own. */
static int open_namespace(struct creation *c, const struct engine_container *other,
			  const char *type, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *again = NULL;
	_cleanup_fd_ int pidfd = process_pidfd_open(other->pid), fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)other->pid, type);
	fd = pidfd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || engine_find(c->engine, other->id, &again, NULL) < 0 ||
	    again->pid != other->pid || process_pidfd_signal(pidfd, 0) < 0)
		return err_say(err, ESRCH,
			       "container %s ended right now, so there is nothing to join",
			       other->name);
	return take_fd(&fd);
}

int creation_hold_namespace(struct creation *c, const struct engine_container *other,
			    const char *type, const char **ret, struct err *err)
{
	_cleanup_fd_ int fd = open_namespace(c, other, type, err);
	char path[PATH_MAX];

	if (fd < 0)
		return fd;
	err_try(pins_bind(c->engine->runroot, c->id, type, fd, path, err));
	*ret = arena_strdup(c->arena, path);
	return *ret ? 0 : err_set(err, ENOMEM, "join a namespace");
}

static int join(struct creation *c, const struct engine_ns *ns, const char *type, const char **ret,
		struct err *err)
{
	_cleanup_engine_container_ struct engine_container *other = NULL;
	int r;

	if (ns->mode != ENGINE_NS_CONTAINER)
		return 0;
	r = find_running(c, ns->container, &other, err);
	if (r == 0 && strcmp(type, "ipc") == 0 && other->namespaces.ipc.mode != ENGINE_NS_SHAREABLE)
		r = err_say(err, EINVAL,
			    "container %s does not share its ipc namespace; run it with --ipc "
			    "shareable",
			    other->name);
	if (r == 0)
		r = creation_hold_namespace(c, other, type, ret, err);
	return r < 0 ? err_add(err, "--%s", type) : 0;
}

/* The folder of the other one, to be found by its id. */
static int find_shm(struct creation *c, const char *name, char ret[static PATH_MAX],
		    struct err *err)
{
	_cleanup_engine_container_ struct engine_container *other = NULL;
	int r = engine_find(c->engine, name, &other, err);

	return r < 0 ? r : pins_path(c->engine->runroot, other->id, "shm", ret, err);
}

static int make_shm(struct creation *c, char ret[static PATH_MAX], struct err *err)
{
	int64_t bytes = c->options->limits.shm_bytes;
	char options[64];
	int r = pins_make(c->engine->runroot, c->id, "shm", true, ret, err);

	if (r < 0)
		return r;
	snprintf(options, sizeof(options), "mode=1777,size=%lld",
		 (long long)(bytes ? bytes : CONFIG_SHM_BYTES));
	if (mount("shm", ret, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return err_set(err, errno, "mount a tmpfs on %s", ret);
	return 0;
}

static int share_shm(struct creation *c, struct err *err)
{
	const struct engine_ns *ipc = &c->options->namespaces.ipc;
	char path[PATH_MAX];
	int r;

	if (ipc->mode == ENGINE_NS_CONTAINER)
		r = find_shm(c, ipc->container, path, err);
	else if (ipc->mode == ENGINE_NS_SHAREABLE)
		r = make_shm(c, path, err);
	else
		return 0;
	if (r < 0)
		return r;
	c->ns.shm_path = arena_strdup(c->arena, path);
	return c->ns.shm_path ? 0 : err_set(err, ENOMEM, "share /dev/shm");
}

int creation_check_namespaces(const struct engine_run_options *o, struct err *err)
{
	const struct engine_namespaces *ns = &o->namespaces;

	if (ns->uts.mode == ENGINE_NS_HOST && (o->hostname || o->domainname))
		return err_say(err, EINVAL,
			       "--uts host: the host keeps its name; leave out --hostname and "
			       "--domainname");
	if (!ns->user)
		return 0;
	if (o->security.privileged)
		return err_say(err, EINVAL,
			       "--userns auto: --privileged is meant for the host's users; leave "
			       "one of them out");
	if (ns->pid.mode == ENGINE_NS_HOST || ns->ipc.mode == ENGINE_NS_HOST ||
	    ns->uts.mode == ENGINE_NS_HOST || o->network == ENGINE_NETWORK_HOST)
		return err_say(err, EINVAL,
			       "--userns auto: its root could not use a %s namespace of the "
			       "host's; leave one of them out",
			       ns->pid.mode == ENGINE_NS_HOST	? "pid"
			       : ns->ipc.mode == ENGINE_NS_HOST ? "ipc"
			       : ns->uts.mode == ENGINE_NS_HOST ? "uts"
								: "network");
	if (ns->pid.mode == ENGINE_NS_CONTAINER || ns->ipc.mode == ENGINE_NS_CONTAINER ||
	    o->network == ENGINE_NETWORK_CONTAINER)
		return err_say(err, EINVAL,
			       "--userns auto: its root could not use another container's "
			       "namespaces; leave one of them out");
	return 0;
}

int creation_make_namespaces(struct creation *c, struct err *err)
{
	const struct engine_namespaces *ns = &c->options->namespaces;
	struct statfs fs;
	int r = join(c, &ns->pid, "pid", &c->ns.pid_path, err);

	if (r == 0)
		r = join(c, &ns->ipc, "ipc", &c->ns.ipc_path, err);
	if (r == 0)
		r = share_shm(c, err);
	c->ns.cgroup2 = statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
	return r;
}
