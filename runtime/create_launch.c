/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a judged creation with its folder and its cgroup to a process that waits to be started, or,
 * restored, runs: the plan of it, its launch, and what is done for it in between, while its
 * namespaces exist and its root is not entered.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/userns.h"
#include "runtime/annotations.h"
#include "runtime/create_cgroup.h"
#include "runtime/creation.h"
#include "runtime/folder.h"
#include "runtime/frozen.h"
#include "runtime/hooks.h"
#include "runtime/listener.h"
#include "runtime/notify.h"
#include "runtime/rdt.h"
#include "runtime/restore.h"

/* ---- the plan ---- */

static int prepare_notify(struct creation *cr, struct err *err)
{
	char path[PATH_MAX], state[PATH_MAX];

	/* A document of the caller's own is complete. */
	if (!cr->options->notify || !cr->own_config)
		return 0;
	err_try(path_join(path, sizeof(path), cr->c->root, cr->c->id, err));
	err_try(creation_make_absolute(path, state, sizeof(state), err));
	return notify_prepare(cr->c->dirfd, state, cr->own_config, err);
}

static int build_plan(struct creation *cr, struct err *err)
{
	const struct cgroup *cgroup = cr->c->cache->cgroup;
	struct plan_cgroup shown[CGROUP_HIERARCHIES_MAX];
	char folders[CGROUP_HIERARCHIES_MAX][CGROUP_PATH_MAX];
	size_t count = 0;
	const struct cgroup_hierarchy *h = cgroup ? cgroup_hierarchies(cgroup, &count) : NULL;
	struct plan_options options = {
		.rootfs = cr->rootfs,
		.bundle = cr->bundle,
		.cgroups = shown,
		.cgroups_count = count,
		.no_pivot = cr->options->no_pivot,
		.no_new_keyring = cr->options->no_new_keyring,
		.rootless = geteuid() != 0,
		.in_userns = !userns_is_initial(),
		.no_tty_group = !userns_is_initial() && !userns_maps_group(5),
		.waits = !cr->options->start_here || !cr->options->start_follows,
		.preserve_fds = cr->options->preserve_fds,
		.listen_fds = cr->options->listen_fds,
		.id = cr->c->id,
	};

	for (size_t i = 0; i < count; i++)
		shown[i] = (struct plan_cgroup){
			.name = h[i].name,
			.mountpoint = h[i].mountpoint,
			.folder = cgroup_folder(cgroup, &h[i], folders[i]),
			.v2 = h[i].v2,
		};
	return plan_build(cr->config, &options, &cr->plan, err);
}

/* 0622: also the mapped root of a user namespace may open it, through init's descriptor only, for
 * the folder is closed to everyone else. */
static int make_fifo(struct creation *cr, struct err *err)
{
	int dirfd = cr->c->dirfd;

	if (cr->options->start_here)
		return 0;
	if (mkfifoat(dirfd, FOLDER_FIFO, 0622) < 0 || fchmodat(dirfd, FOLDER_FIFO, 0622, 0) < 0)
		return err_set(err, errno, "create %s in the state folder", FOLDER_FIFO);
	cr->fifo_fd = openat(dirfd, FOLDER_FIFO, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return cr->fifo_fd < 0 ? err_set(err, errno, "open %s", FOLDER_FIFO) : 0;
}

/* ---- the launch ---- */

static bool has_hooks(const struct oci_hooks *h)
{
	return h->prestart.count + h->create_runtime.count + h->poststop.count;
}

static int run_hooks(void *data, pid_t pid, struct err *err)
{
	struct creation *cr = data;
	struct hooks_place place = hooks_place(cr->config, cr->bundle);
	struct container *c = cr->c;
	_cleanup_free_ char *state = NULL;
	size_t len;

	if (create_cgroup_wants_delegate(c->cache->cgroup, cr->config)) {
		/* With somebody in it a folder hands down no controller. */
		err_try(cgroup_settle(c->cache->cgroup, &cr->config->resources, err));
		err_try(create_cgroup_delegate(c->cache->cgroup, cr->config, pid, err));
	}
	if (cr->config->net_devices_count > 0)
		err_try(net_devices_move(cr->config, pid, c->arena, &cr->devices, err));
	err_try(rdt_create(cr->config, c->id, pid, err));
	c->rdt_made = rdt_is_wanted(cr->config);
	if (!has_hooks(&cr->config->hooks))
		return 0;
	cr->hooks_began = true;
	c->record.pid = pid;
	if (process_start_time(pid, &c->record.start_ticks) < 0)
		return err_say(err, ESRCH, "the container's process died while it was created");
	err_try(record_update(c->dirfd, &c->record, err));
	err_try(container_state_as(c, OCI_CREATING, false, &state, &len, err));
	err_try(hooks_run("prestart", &cr->config->hooks.prestart, &place, state, len, err));
	return hooks_run("createRuntime", &cr->config->hooks.create_runtime, &place, state, len,
			 err);
}

static int give_listener(void *data, pid_t pid, int *ret_socket, char **ret_state, struct err *err)
{
	struct creation *cr = data;

	cr->c->record.pid = pid;
	return listener_open(cr->c, cr->config->seccomp, pid, OCI_CREATING, ret_socket, ret_state,
			     err);
}

/* A process by the name that it has in its own pid namespace: the last one of NSpid. */
static pid_t pid_inside(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	const char *line, *end;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (file_read(AT_FDCWD, path, 1u << 16, &text, &len, NULL) < 0)
		return pid;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return pid; /* a kernel without pid namespaces */
	line++;
	end = line + strcspn(line, "\n");
	while (end > line && end[-1] >= '0' && end[-1] <= '9')
		end--;
	return (pid_t)strtol(end, NULL, 10);
}

/* For the hooks that init runs: they are in the container, and the specification has them see its
 * pid as it is there. */
static int give_state(void *data, pid_t pid, enum oci_status status, char **ret, struct err *err)
{
	struct creation *cr = data;
	size_t len;
	int r;

	cr->hooks_began = true;
	cr->c->record.pid = pid_inside(pid);
	r = container_state_as(cr->c, status, false, ret, &len, err);
	cr->c->record.pid = pid;
	return r;
}

static int check_frozen(void *data, pid_t pid, struct err *err)
{
	struct creation *cr = data;

	return frozen_check(cr->c, pid, err);
}

/* Something is to be done when the namespaces exist. */
static bool is_awaited(const struct creation *cr)
{
	return has_hooks(&cr->config->hooks) || cr->config->net_devices_count > 0 ||
	       rdt_is_wanted(cr->config) ||
	       create_cgroup_wants_delegate(cr->c->cache->cgroup, cr->config);
}

/*
 * Nothing of what publish() and the caller do before the start is there for the program. Without a
 * cgroup only the record, which comes after, tells who was started; in systemd's a limit of one
 * process is set after the launch.
 */
static bool may_start_early(const struct creation *cr)
{
	const struct container_create_options *o = cr->options;
	const struct cgroup *cgroup = cr->c->cache->cgroup;

	return o->start_here && o->start_follows && !o->pid_file && !o->pidfd_socket &&
	       !o->console_socket && !o->notify && !cr->config->process.terminal &&
	       !has_hooks(&cr->config->hooks) && !cgroup_is_none(cgroup) &&
	       !cgroup_unit(cgroup, NULL) &&
	       !oci_config_annotation(cr->config, ANNOTATION_PIDFD_RECEIVER);
}

struct join {
	int v2_fd, task_fds[CGROUP_HIERARCHIES_MAX];
	size_t count;
};

static void join_deinit(struct join *join)
{
	cleanup_fd(&join->v2_fd);
	for (size_t i = 0; i < join->count; i++)
		cleanup_fd(&join->task_fds[i]);
}

static int launch(struct creation *cr, struct err *err)
{
	_cleanup_(join_deinit) struct join join = { .v2_fd = -1 };
	struct container *c = cr->c;
	struct hooks_place place = hooks_place(cr->config, cr->bundle);
	struct launch_options options = {
		.plan = cr->plan,
		.stdio = cr->options->stdio,
		.exec_fifo_fd = cr->fifo_fd,
		.hooks = is_awaited(cr) ? run_hooks : NULL,
		.hook_state = give_state,
		.listener = give_listener,
		.stalled = check_frozen,
		.hooks_data = cr,
		.hook_stdout = place.stdout_path,
		.hook_stderr = place.stderr_path,
		.target_pidfd = -1,
		.start_early = may_start_early(cr),
	};

	if (c->cache->cgroup)
		err_try(cgroup_join_fds(c->cache->cgroup, &join.v2_fd, join.task_fds, &join.count,
					err));
	options.cgroup_fd = join.v2_fd;
	options.task_fds = join.task_fds;
	options.task_fds_count = join.count;
	c->record.pid = 0;
	cr->launching = true;
	err_try(launch_create(&options, &c->launch, err));
	cr->launching = false;
	cr->launched = true;
	c->record.pid = c->launch.pid;
	c->pidfd = c->launch.pidfd;
	if (c->cache->cgroup)
		return cgroup_settle(c->cache->cgroup, &cr->config->resources, err);
	return 0;
}

int creation_restore(struct creation *cr, struct err *err)
{
	struct container *c = cr->c;
	const struct restore_job job = {
		.options = cr->options->restore,
		.config = cr->config,
		.bundle = cr->bundle,
		.rootfs = cr->rootfs,
		.cgroup = c->cache->cgroup,
		.stdio = cr->options->stdio,
		.on_namespaces = is_awaited(cr) ? run_hooks : NULL,
		.data = cr,
	};

	if (cr->options->cgroups != CONTAINER_NO_CGROUP)
		err_try(create_cgroup_apply(c->cache->cgroup, cr->config, err));
	err_try(restore_run(&job, &c->launch, err));
	cr->launched = true;
	c->record.pid = c->launch.pid;
	c->pidfd = c->launch.pidfd;
	if (c->cache->cgroup)
		return cgroup_settle(c->cache->cgroup, &cr->config->resources, err);
	return 0;
}

int creation_launch(struct creation *cr, struct err *err)
{
	err_try(prepare_notify(cr, err));
	err_try(build_plan(cr, err));
	if (cr->options->cgroups != CONTAINER_NO_CGROUP)
		err_try(create_cgroup_apply(cr->c->cache->cgroup, cr->config, err));
	err_try(make_fifo(cr, err));
	return launch(cr, err);
}
