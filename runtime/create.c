/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container. Theory of operation: every step leaves something behind that `delete` finds,
 * before the step that needs it begins, so a kill -9 at any moment loses nothing.
 *
 *	1 read and judge config.json		nothing exists yet
 *	2 connect the console socket
 *	3 mkdir ROOT/ID and lock it		the id is ours; delete finds the folder
 *	4 keep a copy of config.json		the cgroup's path can be told from it
 *	5 make the cgroup, write state.json	delete finds processes through the cgroup
 *	6 build the plan, set limits, make the fifo
 *	7 launch; prestart and createRuntime hooks run inside of it
 *	8 put pid and `ready` into state.json	it is "created" from here on
 *	9 pid file, console; unlock
 *
 * A failure in between walks back: kill and reap, cgroup, poststop hooks where others had begun,
 * folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/userns.h"
#include "isolation/plan.h"
#include "runtime/annotations.h"
#include "runtime/check.h"
#include "runtime/console.h"
#include "runtime/container_struct.h"
#include "runtime/create_cgroup.h"
#include "runtime/fd_socket.h"
#include "runtime/folder.h"
#include "runtime/frozen.h"
#include "runtime/hooks.h"
#include "runtime/listener.h"
#include "runtime/memory_limit.h"
#include "runtime/net_devices.h"
#include "runtime/notify.h"
#include "runtime/rdt.h"
#include "runtime/restore.h"

#define CONFIG_BYTES_MAX (8u << 20)

/* A container on its way. */
struct creation {
	const struct container_create_options *options;
	struct container *c; /* owned; NULL until the folder is there */
	char bundle[PATH_MAX], rootfs[PATH_MAX];
	char *config_text; /* owned; as read from the bundle, or NULL */
	size_t config_len;
	struct oci_config *own_config; /* owned; NULL when the caller gave one */
	const struct oci_config *config;
	struct plan *plan;	    /* owned */
	int console_socket;	    /* owned, or -1 */
	int fifo_fd;		    /* owned, or -1 */
	struct net_devices devices; /* that the container has got from us */
	bool launching, launched, hooks_began;
};

/* Undoes what is there, unless the container was taken out. */
static void creation_undo(struct creation *cr)
{
	struct container *c = cr->c;
	int status;

	plan_free(cr->plan);
	free(cr->config_text);
	cleanup_fd(&cr->console_socket);
	cleanup_fd(&cr->fifo_fd);
	if (c)
		net_devices_return(cr->config, &cr->devices);
	net_devices_deinit(&cr->devices);
	if (c) {
		if (cr->launched) {
			process_pidfd_signal(c->pidfd, SIGKILL);
			process_wait(c->pidfd, &status);
		}
		container_destroy(c, cr->hooks_began, NULL);
		container_free(c);
	}
	/* Last: container_destroy() runs hooks of it. */
	oci_config_free(cr->own_config);
}

/* ---- 1: what is asked for ---- */

static int make_absolute(const char *path, char *buf, size_t size, struct err *err)
{
	char cwd[PATH_MAX];

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_set(err, errno, "get current folder");
	if (path[0] == '/')
		cwd[0] = '\0';
	err_try(path_join(buf, size, cwd, path, err));
	path_clean(buf);
	return 0;
}

static int load_config(struct creation *cr, struct err *err)
{
	char path[PATH_MAX];
	int r;

	cr->config = cr->options->config;
	if (cr->config)
		return 0;
	err_try(path_join(path, sizeof(path), cr->bundle, "config.json", err));
	r = file_read(AT_FDCWD, path, CONFIG_BYTES_MAX, &cr->config_text, &cr->config_len, err);
	if (r == -ENOENT)
		return err_say(err, ENOENT, "JSON specification file config.json not found in %s",
			       cr->bundle);
	if (r < 0)
		return r;
	if (oci_config_parse(cr->config_text, cr->config_len, &cr->own_config, err) < 0)
		return err_add(err, "%s", path);
	cr->config = cr->own_config;
	if (annotations_check(cr->own_config, err) < 0 ||
	    annotations_apply(cr->own_config, err) < 0)
		return err_add(err, "%s", path);
	return 0;
}

static int find_rootfs(struct creation *cr, struct err *err)
{
	const char *path = cr->config->root.path;
	struct stat st;

	if (!path || !path[0])
		return err_say(err, EINVAL, "root.path: missing");
	if (path[0] == '/')
		err_try(path_join(cr->rootfs, sizeof(cr->rootfs), "", path, err));
	else
		err_try(path_join(cr->rootfs, sizeof(cr->rootfs), cr->bundle, path, err));
	path_clean(cr->rootfs);
	if (stat(cr->rootfs, &st) < 0)
		return err_set(err, errno, "invalid rootfs (root.path): folder %s", cr->rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_say(err, ENOTDIR, "invalid rootfs (root.path): %s: not a directory",
			       cr->rootfs);
	return 0;
}

static int check_terminal(const struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;
	bool terminal = cr->config->process.terminal;

	if (terminal && !o->console_socket && !o->want_console)
		return err_say(
			err, EINVAL,
			"process.terminal: cannot allocate tty if the runtime will detach without setting console socket (--console-socket)");
	if (!terminal && o->console_socket)
		return err_say(
			err, EINVAL,
			"cannot use console socket if the runtime will not detach or allocate tty: process.terminal is false");
	return 0;
}

static int judge(struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;
	struct stat st;

	if (!o->id[0])
		return err_say(err, EINVAL, "container id cannot be empty");
	if (!container_id_is_valid(o->id))
		return err_say(
			err, EINVAL,
			"invalid container ID format: '%s': letters, digits and _+.- are allowed, and no dot in front",
			o->id);
	err_try(make_absolute(o->bundle ? o->bundle : ".", cr->bundle, sizeof(cr->bundle), err));
	if (stat(cr->bundle, &st) < 0)
		return err_set(err, errno, "bundle %s", cr->bundle);
	err_try(load_config(cr, err));
	err_try(check_config(cr->config, err));
	err_try(find_rootfs(cr, err));
	return check_terminal(cr, err);
}

/* ---- 3 to 5: what delete finds ---- */

static int make_folder(struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;
	const char *root = o->root ? o->root : CONTAINER_ROOT_DEFAULT;
	int dirfd = folder_create(root, o->id, err), r;

	if (dirfd < 0)
		return dirfd;
	r = container_new(root, o->id, dirfd, &cr->c, err);
	if (r < 0) {
		folder_remove(root, o->id, dirfd, NULL);
		close(dirfd);
		return r;
	}
	cr->c->config = cr->config;
	cr->c->start_here = o->start_here;
	return 0;
}

static int keep_config(struct creation *cr, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int r;

	if (!cr->config_text)
		err_try(oci_config_format(cr->config, &cr->config_text, &cr->config_len, err));
	fd = openat(cr->c->dirfd, FOLDER_CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "create %s in the state folder", FOLDER_CONFIG);
	r = fd_write_all(fd, cr->config_text, cr->config_len);
	return r < 0 ? err_set(err, -r, "write %s in the state folder", FOLDER_CONFIG) : 0;
}

static bool is_rootless(const struct container_create_options *o)
{
	return o->rootless == CONTAINER_ROOTLESS_AUTO ? userns_is_rootless()
						      : o->rootless == CONTAINER_ROOTLESS;
}

static int name_cgroup(struct container *c, struct err *err)
{
	const struct cgroup *cgroup = c->cache->cgroup;
	const char *unit = cgroup_unit(cgroup, &c->record.systemd_user);

	c->record.cgroup_path = arena_strdup(c->arena, cgroup_path(cgroup));
	if (!c->record.cgroup_path)
		return err_set(err, ENOMEM, "write state");
	if (unit && !(c->record.systemd_unit = arena_strdup(c->arena, unit)))
		return err_set(err, ENOMEM, "write state");
	return 0;
}

static int make_record(struct creation *cr, struct err *err)
{
	struct container *c = cr->c;
	struct record *record = &c->record;
	char created[CLOCK_RFC3339_SIZE];

	clock_format(clock_realtime_ns(), created);
	record->id = c->id;
	record->oci_version = cr->config->oci_version;
	record->annotations = cr->config->annotations;
	record->annotations_count = cr->config->annotations_count;
	record->exec_fifo = !c->start_here && !cr->options->restore;
	record->bundle = arena_strdup(c->arena, cr->bundle);
	record->rootfs = arena_strdup(c->arena, cr->rootfs);
	record->created = arena_strdup(c->arena, created);
	err_try(name_cgroup(c, err));
	if (!record->bundle || !record->rootfs || !record->created)
		return err_set(err, ENOMEM, "write state");
	return record_create(c->dirfd, record, err);
}

/* ---- 6: the plan ---- */

static int prepare_notify(struct creation *cr, struct err *err)
{
	char path[PATH_MAX], state[PATH_MAX];

	/* A document of the caller's own is complete. */
	if (!cr->options->notify || !cr->own_config)
		return 0;
	err_try(path_join(path, sizeof(path), cr->c->root, cr->c->id, err));
	err_try(make_absolute(path, state, sizeof(state), err));
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

/* ---- 7: the launch ---- */

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

/* For the hooks that init runs. */
static int give_state(void *data, pid_t pid, enum oci_status status, char **ret, struct err *err)
{
	struct creation *cr = data;
	size_t len;

	cr->hooks_began = true;
	cr->c->record.pid = pid;
	return container_state_as(cr->c, status, false, ret, &len, err);
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

/* 6 and 7 of one whose processes are there already, in images. */
static int restore(struct creation *cr, struct err *err)
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

/* ---- 8, 9: telling the world ---- */

static int send_pidfd(const char *path, int pidfd, struct err *err)
{
	_cleanup_fd_ int socket = fd_socket_connect(path, "pidfd socket", err);
	int r;

	if (socket < 0)
		return socket;
	r = fd_socket_send(socket, pidfd, "standard", 8);
	return r < 0 ? err_set(err, -r, "send the pidfd to %s", path) : 0;
}

static int publish(struct creation *cr, struct err *err)
{
	struct container *c = cr->c;
	const char *receiver;

	if (process_start_time(c->record.pid, &c->record.start_ticks) < 0)
		return err_say(err, ESRCH, "the container's process died while it was created");
	c->console_fd = take_fd(&c->launch.console_fd);
	if (cr->console_socket >= 0) {
		err_try(console_send(cr->console_socket, c->console_fd, err));
		cleanup_fd(&c->console_fd);
		c->console_fd = -1;
	}
	receiver = oci_config_annotation(cr->config, ANNOTATION_PIDFD_RECEIVER);
	if (cr->options->pidfd_socket)
		receiver = cr->options->pidfd_socket;
	if (receiver)
		err_try(send_pidfd(receiver, c->pidfd, err));
	if (cr->options->pid_file) {
		char text[16];
		int len = snprintf(text, sizeof(text), "%d", c->record.pid);

		err_try(file_replace(AT_FDCWD, cr->options->pid_file, text, (size_t)len, 0644,
				     false, err));
	}
	c->record.ready = true;
	return record_update(c->dirfd, &c->record, err);
}

static int make(struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;

	if (o->console_socket) {
		cr->console_socket = console_connect(o->console_socket, err);
		if (cr->console_socket < 0)
			return cr->console_socket;
	}
	err_try(make_folder(cr, err));
	err_try(keep_config(cr, err));
	err_try(create_cgroup(o->cgroups, is_rootless(o), cr->config, o->id, &cr->c->cache->cgroup,
			      err));
	err_try(make_record(cr, err));
	if (o->restore) {
		err_try(restore(cr, err));
		return publish(cr, err);
	}
	err_try(prepare_notify(cr, err));
	err_try(build_plan(cr, err));
	if (cr->options->cgroups != CONTAINER_NO_CGROUP)
		err_try(create_cgroup_apply(cr->c->cache->cgroup, cr->config, err));
	err_try(make_fifo(cr, err));
	err_try(launch(cr, err));
	return publish(cr, err);
}

int container_create(const struct container_create_options *options, struct container **ret,
		     struct err *err)
{
	_cleanup_(creation_undo) struct creation cr = {
		.options = options, .console_socket = -1, .fifo_fd = -1, .devices = NET_DEVICES_NONE
	};
	int r = judge(&cr, err);

	if (r == 0)
		r = make(&cr, err);
	if (r == -ENOMEM && cr.launching)
		r = memory_limit_blame(cr.config, err);
	if (r < 0)
		return cr.launching ? r : container_blur(r, err);
	if (cr.c->cache->cgroup)
		cgroup_keep(cr.c->cache->cgroup);
	folder_unlock(cr.c->dirfd);
	/* What was parsed here lives on with the container. */
	if (cr.own_config) {
		cr.c->config = NULL;
		cr.c->cache->config = take_ptr(cr.own_config);
	}
	*ret = take_ptr(cr.c);
	return 0;
}
