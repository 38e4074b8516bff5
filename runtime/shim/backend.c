/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/backend.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "cgroups/cgroup.h"
#include "cgroups/cgroup_oom.h"
#include "runtime/container.h"

#define HOOK_S 60 /* for a poststop hook without a timeout: docs/containerd.md */

static int create(const struct backend_create *o, void **ret_handle, struct backend_process *ret,
		  struct err *err)
{
	struct container_create_options options = {
		.root = o->root,
		.id = o->id,
		.bundle = o->bundle,
		.stdio = o->stdio,
		.want_console = o->terminal,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.cgroups = o->cgroups,
		.start_here = !o->start_elsewhere,
		.restore = o->restore,
	};
	struct container *container;
	int r = container_create(&options, &container, err);

	if (r < 0)
		return r;
	ret->pid = container_pid(container);
	ret->pidfd = -1;
	ret->console_fd = o->terminal ? container_take_console(container) : -1;
	*ret_handle = container;
	return 0;
}

static int adopt(const struct backend_create *o, void **ret_handle, struct backend_process *ret,
		 struct err *err)
{
	_cleanup_container_ struct container *container = NULL;
	int r = o->for_removal ? container_open_damaged(o->root, o->id, &container, err)
			       : container_open(o->root, o->id, &container, err);
	int fd;

	if (r < 0)
		return r;
	if (!container_may_be_of(container, o->bundle))
		return err_say(err, ENOENT, "container %s is of another bundle: %s", o->id,
			       container_bundle(container));
	fd = container_pidfd(container);
	ret->pid = container_pid(container);
	ret->pidfd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	ret->started = container_is_started(container);
	ret->paused = fd >= 0 && container_status(container) == OCI_PAUSED;
	*ret_handle = take_ptr(container);
	return 0;
}

static void forget(void *handle)
{
	container_free(handle);
}

static int start(void *handle, struct err *err)
{
	return container_start(handle, err);
}

static int exec(void *handle, const struct backend_exec *o, struct backend_process *ret,
		struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_process process = { 0 };
	struct container_exec_options options = { .process = &process, .stdio = o->stdio };
	struct container_process made;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read the process to execute");
	r = oci_process_parse(o->process_json, o->process_len, arena, &process, err);
	if (r < 0)
		return r;
	process.terminal = o->terminal;
	r = container_exec(handle, &options, &made, err);
	if (r < 0)
		return r;
	*ret = (struct backend_process){ made.pid, made.pidfd, made.console_fd, true };
	return 0;
}

static int kill_container(void *handle, int signal, bool all, struct err *err)
{
	return container_kill(handle, signal, all, err);
}

static int freeze(void *handle, bool frozen, struct err *err)
{
	return frozen ? container_pause(handle, err) : container_resume(handle, err);
}

static int update(void *handle, const char *resources_json, size_t len, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_resources resources = { 0 };

	if (!arena)
		return err_set(err, ENOMEM, "read resources");
	err_try(oci_resources_parse(resources_json, len, arena, &resources, err));
	return container_update(handle, &resources, err);
}

static int checkpoint(void *handle, const struct container_criu_options *options, struct err *err)
{
	return container_checkpoint(handle, options, err);
}

static bool has_pid_namespace(void *handle)
{
	/* Read when it is asked for, which may fail. Without it, all that is left is killed. */
	const struct oci_config *config = container_config(handle);

	return config && config->namespaces[OCI_NS_PID].present &&
	       !config->namespaces[OCI_NS_PID].path;
}

static int stats(void *handle, struct backend_stats *ret, struct err *err)
{
	const struct cgroup *cgroup = container_cgroup(handle);
	struct cgroup_stats s;
	int r;

	if (!cgroup)
		return err_say(err, ENOENT, "the container has no cgroup any more");
	r = cgroup_stats(cgroup, &s, err);
	if (r < 0)
		return r;
	*ret = (struct backend_stats){
		.v2 = cgroup_layout() == CGROUP_V2,
		.memory_usage_bytes = s.memory_usage_bytes,
		.memory_limit_bytes = s.memory_limit_bytes,
		.memory_peak_bytes = s.memory_peak_bytes,
		.memory_inactive_file_bytes = s.memory_inactive_file_bytes,
		.oom_kills = s.oom_kills,
		.cpu_usage_ns = s.cpu_usage_ns,
		.cpu_user_ns = s.cpu_user_ns,
		.cpu_system_ns = s.cpu_system_ns,
		.cpu_periods = s.cpu_periods,
		.cpu_throttled_periods = s.cpu_throttled_periods,
		.cpu_throttled_ns = s.cpu_throttled_ns,
		.pids_current = s.pids_current,
		.pids_limit = s.pids_limit,
		.io_read_bytes = s.io_read_bytes,
		.io_write_bytes = s.io_write_bytes,
	};
	return 0;
}

static int watch_oom(void *handle, struct cgroup_oom *ret, struct err *err)
{
	const struct cgroup *cgroup = container_cgroup(handle);

	if (!cgroup)
		return err_say(err, ENOENT, "the container has no cgroup any more");
	return cgroup_oom_open(cgroup, ret, err);
}

static int pids(void *handle, pid_t **ret, size_t *ret_count, struct err *err)
{
	if (!container_cgroup(handle))
		return err_say(err, ENOENT, "the container has no cgroup any more");
	return container_pids(handle, ret, ret_count, err);
}

static int destroy(void *handle, const char *bundle, bool hooks, struct err *err)
{
	const struct container_delete_options options = {
		.force = true,
		.bundle = bundle,
		.no_hooks = !hooks,
		.hook_s = HOOK_S,
	};
	struct err why = { 0 };
	int r = container_delete_with(handle, &options, &why);

	container_free(handle);
	if (r == -ESTALE)
		return 0;
	return r < 0 ? err_say(err, -r, "%s", why.text) : 0;
}

const struct backend_ops backend_runtime = {
	.create = create,
	.adopt = adopt,
	.forget = forget,
	.start = start,
	.exec = exec,
	.kill = kill_container,
	.freeze = freeze,
	.update = update,
	.checkpoint = checkpoint,
	.has_pid_namespace = has_pid_namespace,
	.stats = stats,
	.watch_oom = watch_oom,
	.pids = pids,
	.destroy = destroy,
	.mount = rootfs_mount,
	.unmount = rootfs_unmount,
};
