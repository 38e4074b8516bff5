/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container once more: one that was created to be started later, or has ended.
 *
 * Theory of operation. Its folder holds all it is: config.json, what it wrote, and the Create
 * request as its last shim got it (or would have got it), which the next one gets again. Only what
 * a run needs on the host is made anew, by the functions that made it first and at the same paths,
 * which config.json names: user namespace with the same ids, namespaces of others, network
 * namespace and NIC with the same address, id-mapped layers. All of it under the lock of who makes
 * and removes; what fails is undone, and the container is as it was.
 */
#include "runtime/engine/renew.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/explain.h"
#include "runtime/engine/fifos.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/reset.h"
#include "runtime/engine/stage.h"
#include "runtime/shim/client.h"
#include "runtime/shim/health_record.h"
#include "runtime/shim/journal.h"

#define LOCK_WAIT_MS 10000
#define SHIM_WAIT_MS 10000

/* What it was made with, as far as it counts here. */
static void recall(const struct meta *meta, bool detach, struct engine_run_options *ret)
{
	unsigned byte[6];

	*ret = (struct engine_run_options){
		.terminal = meta->terminal,
		.interactive = meta->interactive,
		.detach = detach,
		.auto_remove = meta->auto_remove,
		.network = meta->network,
		.namespaces = meta->namespaces,
		.limits = meta->limits,
		.net.join = meta->net.joined,
	};
	/* The address is that of the lease, which stayed; this is what a lease does not hold. */
	if (meta->net.mac && sscanf(meta->net.mac, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1],
				    &byte[2], &byte[3], &byte[4], &byte[5]) == 6) {
		ret->net.request.has_mac = true;
		for (size_t i = 0; i < ARRAY_SIZE(byte); i++)
			ret->net.request.mac[i] = (uint8_t)byte[i];
	}
}

static bool parse_address(const char *text, int family, void *ret)
{
	char address[INET6_ADDRSTRLEN];

	if (!text)
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)strcspn(text, "/"), text);
	return inet_pton(family, address, ret) == 1;
}

/* Its addresses are written in its hosts file and its ports: it has these or does not start. */
static void recall_addresses(const struct meta *meta, struct network_request *ret)
{
	struct in6_addr six;

	if (!parse_address(meta->address, AF_INET, &ret->address))
		return;
	/* One that was asked for; the other kind follows from the IPv4 address. */
	if (parse_address(meta->net.address6, AF_INET6, &six) &&
	    memcmp(&six.s6_addr[12], &ret->address, sizeof(ret->address)) != 0)
		ret->address6 = six;
}

/*
 * It has told of the end, and may still be about to go. Or it is the next one already: who made it
 * was killed before forget_last_run(), and nobody will start it.
 */
static int end_last_shim(const struct engine_container *now, struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	struct pollfd fd = { .events = POLLIN };
	struct shim_state state = { 0 };
	struct shim_exit end;
	char rest[64];

	if (!now->shim_address || shim_connect(now->shim_address, &client, NULL) < 0)
		return 0;
	if (shim_state(client, now->id, NULL, &state, NULL) == 0 && state.status == SHIM_CREATED)
		shim_kill_finally(client, now->id, SIGKILL, true, NULL);
	fd.fd = shim_fd(client);
	if (shim_wait_begin(client, now->id, NULL, NULL) == 0 && poll(&fd, 1, SHIM_WAIT_MS) > 0)
		shim_wait_finish(client, &end, NULL);
	shim_shutdown(client, now->id, NULL);
	while (poll(&fd, 1, SHIM_WAIT_MS) > 0)
		if (read(fd.fd, rest, sizeof(rest)) <= 0)
			return 0;
	return err_say(err, ETIMEDOUT, "the supervisor of its last run does not end");
}

static int open_container(struct creation *c, const char *id, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *now = NULL;

	if (!c->arena)
		return err_set(err, ENOMEM, "start container %.12s", id);
	c->containers_fd = stage_open_containers(c->engine->root, false, err);
	if (c->containers_fd < 0)
		return c->containers_fd;
	c->fd = stage_lock(c->containers_fd, id, false, LOCK_WAIT_MS, err);
	if (c->fd < 0)
		return c->fd;
	err_try(engine_load(c->engine, c->fd, id, &now, err));
	if (strcmp(now->status, "exited") != 0 && strcmp(now->status, "created") != 0)
		return err_say(err, EBUSY, "it is %s", now->status);
	/* Whoever made it ready starts it, or was killed before that. */
	if (now->pid)
		return err_say(err, EALREADY, "it is ready to be started");
	if (now->auto_remove && strcmp(now->status, "exited") == 0)
		return err_say(err, EBUSY, "it is being removed");
	err_try(end_last_shim(now, err));
	err_try(meta_load(c->fd, c->arena, &c->meta, err));
	snprintf(c->id, sizeof(c->id), "%s", id);
	c->dir = arena_strdup(c->arena, now->dir);
	c->again = true;
	return c->dir ? 0 : err_set(err, ENOMEM, "start container %.12s", id);
}

/* The mounts of its layers; the request names them already. */
static int map_layers(struct creation *c, struct err *err)
{
	struct store_image image = { .layers = c->meta.layers };
	const char *options;

	if (!c->options->namespaces.user)
		return 0;
	while (image.layers[image.layers_count])
		image.layers_count++;
	err_try(store_open(c->engine->root, &c->store, err));
	err_try(store_overlay_options(c->store, &image, c->dir, c->options->auto_remove, c->arena,
				      &options, err));
	return creation_map_layers(c, &options, err);
}

static int make_fifos(struct creation *c, struct err *err)
{
	const struct engine_run_options *o = c->options;

	if (o->detach && !o->interactive)
		return 0;
	return fifos_make(&(struct fifos_options){ .runroot = c->engine->runroot,
						   .id = c->id,
						   .name = "init",
						   .want_stdin = o->interactive,
						   .want_stdout = !o->detach,
						   .want_stderr = !o->detach && !o->terminal },
			  &c->io, err);
}

static int make(struct creation *c, struct err *err)
{
	int r = dir_create(AT_FDCWD, c->engine->runroot, 0711, err);

	if (r == 0)
		r = creation_make_userns(c, err);
	if (r == 0)
		r = creation_make_namespaces(c, err);
	if (r == 0)
		r = creation_make_network(c, err);
	if (r == 0)
		r = map_layers(c, err);
	if (r == 0)
		r = make_fifos(c, err);
	if (r == 0)
		r = creation_start_shim(c, err);
	return r;
}

/* Of the last run nothing is said any more; the log goes on. */
static void forget_last_run(const struct creation *c)
{
	static const char *const files[] = { LAYOUT_EXIT, LAYOUT_STARTED, JOURNAL_STATE,
					     HEALTH_FILE };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(c->fd, files[i], 0);
}

/* Where its processes come from; NULL: from its program. */
struct images {
	const char *folder, *criu;
};

static int create_again(struct creation *c, const struct images *from, struct err *err)
{
	const struct shim_again_options again = {
		.bundle = c->dir,
		.stdin_path = c->io.stdin_path,
		.stdout_path = c->io.stdout_path,
		.stderr_path = c->io.stderr_path,
		.keep_stdin = c->options->detach,
		.checkpoint = from ? from->folder : NULL,
		.criu = from ? from->criu : NULL,
	};
	int r = shim_create_again(c->client, &again, &c->pid, err);

	if (r < 0) {
		explain_options(err);
		shim_shutdown(c->client, c->id, NULL);
	}
	return r;
}

static void undo(struct creation *c)
{
	struct err err = { 0 };

	engine_stdio_close(&c->io);
	if (engine_reset(c->engine->root, c->engine->runroot, c->id, c->containers_fd, c->fd,
			 &err) < 0)
		log_debug("container %.12s: %s", c->id, err.text);
}

static int renew(struct engine *engine, const struct engine_container *container, bool detach,
		 const struct images *from, struct engine_container **ret,
		 struct engine_stdio *ret_io, struct err *err)
{
	struct engine_run_options options;
	_cleanup_(creation_deinit) struct creation c = {
		.engine = engine,
		.options = &options,
		.arena = arena_new(),
		.hold_fd = -1,
		.containers_fd = -1,
		.fd = -1,
		.io = ENGINE_STDIO_NONE,
	};
	int r = open_container(&c, container->id, err);

	if (r == 0) {
		recall(&c.meta, detach, &options);
		recall_addresses(&c.meta, &options.net.request);
		r = engine_reset(engine->root, engine->runroot, c.id, c.containers_fd, c.fd, err);
	}
	if (r < 0)
		return err_add(err, "container %s", container->name);
	r = make(&c, err);
	if (r == 0)
		r = create_again(&c, from, err);
	if (r == 0) {
		forget_last_run(&c);
		r = engine_load_created(engine, c.fd, c.id, c.pid, ret, err);
	}
	if (r < 0) {
		undo(&c);
		return err_add(err, "container %s", container->name);
	}
	if (detach) {
		fifos_leave(&c.io);
	} else {
		*ret_io = c.io;
		c.io = ENGINE_STDIO_NONE;
	}
	return 0;
}

int engine_renew(struct engine *engine, const struct engine_container *container, bool detach,
		 struct engine_container **ret, struct engine_stdio *ret_io, struct err *err)
{
	return renew(engine, container, detach, NULL, ret, ret_io, err);
}

int renew_from(struct engine *engine, const struct engine_container *container, const char *images,
	       const char *criu, struct engine_container **ret, struct err *err)
{
	const struct images from = { images, criu };

	return renew(engine, container, true, &from, ret, NULL, err);
}

static int start_ready(struct engine *engine, const struct engine_container *container,
		       struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	int r = engine_connect(engine, container, &client, err);

	return r < 0 ? r : engine_start(engine, container, client, err);
}

int engine_run_again(struct engine *engine, const struct engine_container *container,
		     struct err *err)
{
	_cleanup_engine_container_ struct engine_container *ready = NULL;
	int r = engine_renew(engine, container, true, &ready, NULL, err);

	if (r == -EALREADY) {
		err_clear(err);
		r = engine_find(engine, container->id, &ready, err);
	}
	return r < 0 ? r : start_ready(engine, ready, err);
}
