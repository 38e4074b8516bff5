/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an image to a created container.
 *
 * Theory of operation. The order is chosen so that a kill at any moment leaves what can be found by
 * the folder: 1 image found and held against collection; 2 folder with meta.json, and the name;
 * 3 network namespace and lease; 4 files, config.json, overlay's folders; 5 shim and container.
 * From 2 on a failure is undone by engine_remove(), which is what `ctr rm` would do.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup.h"
#include "runtime/engine/config_build.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/explain.h"
#include "runtime/engine/fifos.h"
#include "runtime/engine/names.h"
#include "runtime/engine/reset.h"
#include "runtime/engine/shim_process.h"
#include "runtime/engine/stage.h"
#include "runtime/engine/supervision.h"
#include "runtime/shim/client.h"

#define TRIES 100
#define HOSTNAME_MAX 64

void creation_deinit(struct creation *c)
{
	shim_close(c->client);
	engine_stdio_close(&c->io);
	store_image_free(c->image);
	cleanup_fd(&c->hold_fd);
	store_close(c->store);
	cleanup_fd(&c->fd);
	cleanup_fd(&c->containers_fd);
	arena_free(c->arena);
}

static int fill_meta(struct creation *c, struct err *err)
{
	const struct engine_run_options *o = c->options;
	const struct labels of_image = { c->image->config.labels, c->image->config.labels_count };
	struct meta *m = &c->meta;

	*m = (struct meta){
		.image = c->image->name,
		.image_id = c->image->id,
		.layers = c->image->layers,
		.hostname = o->hostname,
		.domainname = o->domainname,
		.stop_signal = o->stop_signal ? o->stop_signal : c->image->config.stop_signal,
		.stop_timeout_s =
			o->stop_timeout_s.set ? o->stop_timeout_s.value : ENGINE_STOP_TIMEOUT_S,
		.init = o->init,
		.annotations = o->annotations,
		.terminal = o->terminal,
		.interactive = o->interactive,
		.auto_remove = o->auto_remove,
		.security = o->security,
		.network = o->network,
		.namespaces = o->namespaces,
		.limits = o->limits,
		.restart = supervision_format_restart(&o->supervision, c->arena),
		.created_ns = clock_realtime_ns(),
	};
	if (!m->limits.pids_limit)
		m->limits.pids_limit = CONFIG_PIDS_LIMIT_DEFAULT;
	err_try(creation_choose_health(c, err));
	if (creation_choose_mounts(c, err) < 0)
		return -err->code;
	err_try(labels_merge(&of_image, &o->labels, c->arena, &m->labels, err));
	return config_command(o, &c->image->config, c->arena, &m->command, err);
}

/* Ours, the host's in the host's network, else the beginning of the id. */
static int choose_hostname(struct creation *c, struct err *err)
{
	char host[256] = "";

	if (c->options->hostname)
		return 0;
	if ((c->options->network == ENGINE_NETWORK_HOST ||
	     c->options->namespaces.uts.mode == ENGINE_NS_HOST) &&
	    gethostname(host, sizeof(host) - 1) == 0)
		c->meta.hostname = arena_strdup(c->arena, host);
	else
		c->meta.hostname = arena_strndup(c->arena, c->id, ID_SHORT_LEN);
	return c->meta.hostname ? 0 : err_set(err, ENOMEM, "choose a host name");
}

static int choose_name(struct creation *c, struct err *err)
{
	char *name = arena_alloc(c->arena, NAMES_MAX + 1), id[LAYOUT_ID_SIZE];
	uint32_t random;
	int r = id_make(id, err);

	if (r < 0 || !name)
		return r < 0 ? r : err_set(err, ENOMEM, "choose a name");
	memcpy(&random, id, sizeof(random));
	names_make_up(random * UINT32_C(2654435761) >> 8, name);
	c->meta.name = name;
	return 0;
}

/* Makes the folder, with meta.json in it, appear. */
static int make_folder(struct creation *c, struct err *err)
{
	int r = -EAGAIN;

	c->containers_fd = stage_open_containers(c->engine->root, true, err);
	if (c->containers_fd < 0)
		return c->containers_fd;
	for (int i = 0; r == -EAGAIN && i < TRIES; i++) {
		r = id_make(c->id, err);
		if (r == 0)
			r = c->fd = stage_begin(c->containers_fd, c->id, err);
	}
	if (r < 0)
		return r;
	err_clear(err);
	c->meta.id = c->id;
	c->meta.name = c->options->name;
	r = c->meta.name ? 0 : choose_name(c, err);
	if (r == 0)
		r = choose_hostname(c, err);
	if (r == 0)
		r = meta_save(c->fd, &c->meta, err);
	return r < 0 ? r : stage_publish(c->containers_fd, c->id, err);
}

static int take_name(struct creation *c, struct err *err)
{
	int r = names_take(c->containers_fd, c->meta.name, c->id, err);

	if (c->options->name)
		return r == -EEXIST ? err_add(err, "--name") : r;
	/* A made-up name is a thing of chance: throw again. */
	for (int i = 0; r == -EEXIST && i < TRIES; i++) {
		r = choose_name(c, err);
		if (r == 0)
			r = names_take(c->containers_fd, c->meta.name, c->id, err);
	}
	if (r == -EEXIST) {
		c->meta.name = arena_printf(c->arena, "%s_%.12s", c->meta.name, c->id);
		r = c->meta.name ? names_take(c->containers_fd, c->meta.name, c->id, err)
				 : err_set(err, ENOMEM, "choose a name");
	}
	return r;
}

int creation_start_shim(struct creation *c, struct err *err)
{
	return shim_process_start(c->engine->runroot, c->id, c->dir, false, &c->client, err);
}

static int create_in_shim(struct creation *c, struct err *err)
{
	const struct engine_run_options *o = c->options;
	const char *options[] = { NULL, NULL };
	char io_dir[PATH_MAX];
	struct shim_mount rootfs = { .type = "overlay", .source = "overlay", .options = options };
	struct shim_create_options create = {
		.id = c->id,
		.bundle = c->dir,
		.rootfs = &rootfs,
		.rootfs_count = 1,
		.terminal = o->terminal,
		.stdin_path = c->io.stdin_path,
		.stdout_path = c->io.stdout_path,
		.stderr_path = c->io.stderr_path,
		.runtime_root = c->engine->runroot,
		.log_path = arena_printf(c->arena, "%s/" LAYOUT_LOG, c->dir),
		.exit_path = arena_printf(c->arena, "%s/" LAYOUT_EXIT, c->dir),
		.engine_root = c->engine->root,
		.engine_runroot = c->engine->runroot,
		.remove = o->auto_remove,
		.keep_stdin = o->detach,
		.policy = o->supervision.policy,
		.io_dir = io_dir,
		.criu = o->criu,
	};
	int r = layout_path(io_dir, c->engine->runroot, LAYOUT_IO, c->id, err);

	if (r < 0)
		return r;
	if (!create.log_path || !create.exit_path)
		return err_set(err, ENOMEM, "create container");
	r = store_overlay_options(c->store, c->image, c->dir, o->auto_remove, c->arena, &options[0],
				  err);
	if (r == 0)
		r = creation_map_layers(c, &options[0], err);
	if (r == 0)
		r = creation_build_health(c, &create.policy.health, err);
	if (r == 0 && o->later)
		return shim_create_note(&create, err);
	if (r == 0)
		r = creation_start_shim(c, err);
	if (r == 0)
		r = shim_create(c->client, &create, &c->pid, err);
	if (r < 0)
		explain_options(err);
	/* What was made so far is not the shim's to remove. */
	if (r < 0 && c->client)
		shim_shutdown(c->client, c->id, NULL);
	return r;
}

static int make_container(struct creation *c, struct engine_container **ret, struct err *err)
{
	int r;

	c->dir = arena_printf(c->arena, "%s/" LAYOUT_CONTAINERS "/%s", c->engine->root, c->id);
	if (!c->dir)
		return err_set(err, ENOMEM, "create container");
	r = take_name(c, err);
	if (r == 0)
		r = creation_make_userns(c, err);
	if (r == 0)
		r = creation_make_namespaces(c, err);
	if (r == 0)
		r = creation_make_network(c, err);
	if (r == 0)
		r = creation_write_files(c, err);
	if (r == 0)
		r = create_in_shim(c, err);
	/* Whoever starts it makes anew what lives no longer than a host does. */
	if (r == 0 && c->options->later)
		r = engine_reset(c->engine->root, c->engine->runroot, c->id, c->containers_fd,
				 c->fd, err);
	return r < 0 ? r : engine_load_created(c->engine, c->fd, c->id, c->pid, ret, err);
}

static void tell(const struct creation *c)
{
	const struct engine_event event = { "container",  "create",	 c->id,
					    c->meta.name, c->meta.image, NULL };

	event_log_append(c->engine->runroot, &event);
}

static void undo(struct creation *c)
{
	struct err err = { 0 };

	engine_stdio_close(&c->io);
	cleanup_fd(&c->fd); /* the lock: removal takes it */
	c->fd = -1;
	if (c->id[0] &&
	    engine_remove(c->engine->root, c->engine->runroot, c->id,
			  ENGINE_REMOVE_FORCE | ENGINE_REMOVE_VOLUMES | ENGINE_REMOVE_UNDO,
			  &err) < 0)
		log_warn("%s", err.text);
}

/* It is written to /etc/hosts, so nothing else may be in it. */
static bool hostname_is_valid(const char *name)
{
	return strlen(name) <= HOSTNAME_MAX && names_is_valid(name);
}

static int check(const struct engine_run_options *o, struct err *err)
{
	if (o->name && !names_is_valid(o->name))
		return err_say(err, EINVAL,
			       "--name: \"%s\" must be of letters, digits, '_', '.' and '-', begin "
			       "with a letter or digit, and have at most %d characters",
			       o->name, NAMES_MAX);
	if (o->hostname && !hostname_is_valid(o->hostname))
		return err_say(
			err, EINVAL,
			"--hostname: \"%.80s\" must be 1 to 64 letters, digits, '-', '_' and "
			"'.', and begin with a letter or digit",
			o->hostname);
	if (o->domainname && !hostname_is_valid(o->domainname))
		return err_say(
			err, EINVAL,
			"--domainname: \"%.80s\" must be 1 to 64 letters, digits, '-', '_' and "
			"'.', and begin with a letter or digit",
			o->domainname);
	err_try(creation_check_namespaces(o, err));
	return engine_limits_check(&o->limits, err);
}

/* What was not asked for must not fail where the host cannot do it. */
static void choose_defaults(struct engine_run_options *o)
{
	if (!o->limits.pids_limit && !cgroup_can_limit("pids")) {
		log_debug("this host cannot limit the number of processes: there is no limit");
		o->limits.pids_limit = -1;
	}
}

int engine_create(struct engine *engine, const struct engine_run_options *asked,
		  struct engine_container **ret, struct engine_stdio *ret_io, struct err *err)
{
	struct engine_run_options own = *asked;
	const struct engine_run_options *options = &own;
	_cleanup_(creation_deinit) struct creation c = {
		.engine = engine,
		.options = options,
		.arena = arena_new(),
		.hold_fd = -1,
		.containers_fd = -1,
		.fd = -1,
		.io = ENGINE_STDIO_NONE,
	};
	int r = c.arena ? check(options, err) : err_set(err, ENOMEM, "create container");

	choose_defaults(&own);
	if (r == 0)
		r = creation_find_image(&c, err);
	if (r == 0)
		r = creation_publish_exposed(&c, &own, err);
	if (r == 0)
		r = creation_check_network(&c, err);
	if (r == 0)
		r = fill_meta(&c, err);
	if (r == 0)
		r = creation_collect_names(&c, err);
	if (r < 0)
		return r;
	/* Where it cannot be made nothing else shall be. */
	r = dir_create(AT_FDCWD, engine->runroot, 0711, err);
	if (r < 0)
		return r;
	r = creation_choose_apparmor(&c, err);
	if (r < 0)
		return r;
	r = make_folder(&c, err);
	if (r == 0)
		r = make_container(&c, ret, err);
	if (r < 0) {
		undo(&c);
		return r;
	}
	tell(&c);
	if (options->detach) {
		/* Whoever comes later may write to stdin, which the shim keeps open. */
		fifos_leave(&c.io);
	} else {
		*ret_io = c.io;
		c.io = ENGINE_STDIO_NONE;
	}
	return 0;
}
