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
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/userns.h"
#include "runtime/annotations.h"
#include "runtime/console.h"
#include "runtime/create_cgroup.h"
#include "runtime/creation.h"
#include "runtime/fd_socket.h"
#include "runtime/folder.h"
#include "runtime/memory_limit.h"

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
		container_destroy(c, cr->hooks_began, &(struct container_delete_options){ 0 },
				  NULL);
		container_free(c);
	}
	/* Last: container_destroy() runs hooks of it. */
	oci_config_free(cr->own_config);
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

static int make_cgroup(struct creation *cr, struct err *err)
{
	const struct container_create_options *o = cr->options;
	enum container_cgroups who = create_cgroup_maker(o->cgroups, cr->config);
	_cleanup_fd_ int asked = -1;
	int dirfd = cr->c->dirfd, r;

	if (who == CONTAINER_SYSTEMD) {
		asked = openat(dirfd, FOLDER_UNIT_ASKED, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (asked < 0)
			return err_set(err, errno, "write state");
	}
	r = create_cgroup(who, is_rootless(o), cr->config, o->id, &cr->c->cache->cgroup, err);
	/* What it made it has taken back, and what was there is another's. */
	if (r < 0 && asked >= 0)
		unlinkat(dirfd, FOLDER_UNIT_ASKED, 0);
	return r;
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
	err_try(make_cgroup(cr, err));
	err_try(make_record(cr, err));
	if (cr->c->record.systemd_unit)
		unlinkat(cr->c->dirfd, FOLDER_UNIT_ASKED, 0);
	err_try(o->restore ? creation_restore(cr, err) : creation_launch(cr, err));
	return publish(cr, err);
}

int container_create(const struct container_create_options *options, struct container **ret,
		     struct err *err)
{
	_cleanup_(creation_undo) struct creation cr = {
		.options = options, .console_socket = -1, .fifo_fd = -1, .devices = NET_DEVICES_NONE
	};
	int r = creation_judge(&cr, err);

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
