/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container as the disk and the kernel know it. The status is worked out every time: exit.json is
 * the last word; without it the runtime's state says what lives; without that the container was
 * started once (and its shim died with the news) or never.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/container.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/exit_record.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/id.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/names.h"
#include "runtime/engine/stage.h"
#include "runtime/shim/journal.h"
#include "runtime/shim/proto.h"

#define SMALL_FILE 4096

/* The first line of a small file, in the arena; NULL where there is none. */
static const char *read_line(int dirfd, const char *name, struct arena *arena)
{
	_cleanup_free_ char *text = NULL;

	if (file_read(dirfd, name, SMALL_FILE, &text, NULL, NULL) < 0)
		return NULL;
	return arena_strndup(arena, text, strcspn(text, "\n"));
}

static int set_exited(struct engine_container *c, int dirfd, struct err *err)
{
	struct exit_record record;
	int r = exit_record_load(dirfd, &record, err);

	if (r <= 0)
		return r;
	c->status = "exited";
	c->exit_code = record.code;
	c->oom_killed = record.oom_killed;
	c->finished_ns = record.exited_ns;
	return 1;
}

/* 1 when the runtime knows the container as alive, with status and pid set. */
static int set_alive(struct engine *engine, struct engine_container *c, struct err *err)
{
	_cleanup_container_ struct container *container = NULL;
	enum oci_status status;
	int r = container_open(engine->runroot, c->id, &container, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	status = container_status(container);
	if (status == OCI_STOPPED)
		return 0;
	/* The runtime does not tell a process that waits in its shim from one that runs. */
	if (status == OCI_RUNNING && c->started_ns == 0)
		status = OCI_CREATED;
	c->status = status == OCI_CREATING ? "created" : oci_status_name(status);
	c->pid = status == OCI_CREATING ? 0 : container_pid(container);
	return 1;
}

/* What its shim tells of restarts. */
static void read_restarts(struct engine_container *c)
{
	_cleanup_proto_ Journal__State *state = NULL;

	c->supervised = c->restart && strcmp(c->restart, "no") != 0;
	if (journal_read_state(c->dir, &state, NULL) < 0)
		return;
	c->supervised = c->supervised && !state->stopped;
	c->restarts = state->restarts;
	c->restarting = state->restarting;
	if (state->started_ns > c->started_ns)
		c->started_ns = state->started_ns;
	c->finished_ns = state->finished_ns;
	c->exit_code = state->exit_unknown ? -1 : (int)state->exit_code;
}

static int set_restarting(struct engine_container *c)
{
	if (!c->restarting)
		return 0;
	c->status = "restarting";
	return 1;
}

static int set_status(struct engine *engine, struct engine_container *c, int dirfd, struct err *err)
{
	int r = set_exited(c, dirfd, err);

	if (r == 0)
		r = set_alive(engine, c, err);
	/* It may have ended between the two looks. */
	if (r == 0)
		r = set_exited(c, dirfd, err);
	if (r == 0)
		r = set_restarting(c);
	if (r == 0) {
		c->status = c->started_ns ? "exited" : "created";
		c->exit_code = c->started_ns ? -1 : 0;
	}
	return r < 0 ? r : 0;
}

static void set_meta(struct engine_container *c, const struct meta *meta)
{
	c->id = meta->id;
	c->name = meta->name;
	c->image = meta->image;
	c->image_id = meta->image_id;
	c->layers = meta->layers;
	c->command = meta->command;
	c->auto_remove = meta->auto_remove;
	c->terminal = meta->terminal;
	c->interactive = meta->interactive;
	c->security = meta->security;
	c->limits = meta->limits;
	c->created_ns = meta->created_ns;
	c->network = meta->network;
	c->address = meta->address;
	c->gateway = meta->gateway;
	c->address6 = meta->net.address6;
	c->gateway6 = meta->net.gateway6;
	c->mac = meta->net.mac;
	c->aliases = meta->net.aliases;
	c->hostname = meta->hostname;
	c->stop_signal = meta->stop_signal;
	c->mounts = meta->mounts;
	c->mounts_count = meta->mounts_count;
	c->stop_timeout_s = meta->stop_timeout_s;
	c->domainname = meta->domainname;
	c->init = meta->init;
	c->labels = meta->labels;
	c->annotations = meta->annotations;
	c->restart = meta->restart ? meta->restart : "no";
	c->namespaces = meta->namespaces;
	c->health_check = meta->health;
}

/* What can be said of a container without its meta.json. -ENOENT when it is being removed. */
static int set_damaged(struct engine *engine, struct engine_container *c, const char *id,
		       const char *damage, struct arena *arena, struct err *err)
{
	static const char *const none[] = { NULL };
	_cleanup_fd_ int containers_fd = stage_open_containers(engine->root, false, NULL);
	char *name = arena_alloc(arena, NAMES_MAX + 1);
	struct stat st;

	if (containers_fd < 0 || fstatat(containers_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ENOENT, "open container %.12s", id);
	*c = (struct engine_container){
		.id = arena_strdup(arena, id),
		.name = name,
		.image = "?",
		.command = none,
		.damage = arena_strdup(arena, damage),
		.stop_timeout_s = ENGINE_STOP_TIMEOUT_S,
		.created_ns = (int64_t)st.st_mtim.tv_sec * 1000000000,
	};
	if (!c->id || !name || !c->damage)
		return err_set(err, ENOMEM, "read container %.12s", id);
	if (names_find_of(containers_fd, id, name) < 0)
		snprintf(name, NAMES_MAX + 1, "%.*s", ID_SHORT_LEN, id);
	return 0;
}

static int read_meta(struct engine_container *c, int dirfd, const char *id, struct arena *arena,
		     struct err *err)
{
	struct meta meta;
	int r = meta_load(dirfd, arena, &meta, err);

	if (r == 0 && strcmp(meta.id, id) != 0)
		r = err_say(err, EINVAL, LAYOUT_META " belongs to %.12s", meta.id);
	if (r == 0)
		set_meta(c, &meta);
	return r;
}

/* All but the status. */
static int load(struct engine *engine, int dirfd, const char *id, struct engine_container **ret,
		struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_container *c = arena ? arena_calloc(arena, 1, sizeof(*c)) : NULL;
	struct err damage = { 0 };
	const char *started;
	int r = 0;

	if (!c)
		return err_set(err, ENOMEM, "read container %.12s", id);
	if (read_meta(c, dirfd, id, arena, &damage) < 0)
		r = set_damaged(engine, c, id, damage.text, arena, err);
	if (r < 0)
		return err_add(err, "container %.12s", id);
	c->dir = arena_printf(arena, "%s/" LAYOUT_CONTAINERS "/%s", engine->root, id);
	c->log_path = arena_printf(arena, "%s/" LAYOUT_LOG, c->dir);
	if (!c->dir || !c->log_path)
		return err_set(err, ENOMEM, "read container %.12s", id);
	/* What cannot be read is damage of the ports alone, and the shim has its own copy. */
	if (publish_load(dirfd, &c->ports, &damage) < 0)
		log_debug("container %.12s: %s", id, damage.text);
	c->shim_address = read_line(dirfd, LAYOUT_ADDRESS, arena);
	started = read_line(dirfd, LAYOUT_STARTED, arena);
	if (started)
		clock_parse(started, &c->started_ns, NULL);
	read_restarts(c);
	/* Without a file it was never started; one that is damaged is written again. */
	if (c->health_check.test)
		health_record_load(c->dir, &c->health, NULL);
	c->arena = take_ptr(arena);
	*ret = c;
	return 0;
}

/* Without "container ID: ", which whoever shows it says by name. */
static const char *skip_id(const char *text, const char *id)
{
	char start[sizeof("container : ") + LAYOUT_ID_SIZE];
	size_t len = (size_t)snprintf(start, sizeof(start), "container %s: ", id);

	return strncmp(text, start, len) == 0 ? text + len : text;
}

int engine_load(struct engine *engine, int dirfd, const char *id, struct engine_container **ret,
		struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	struct err damage = { 0 };
	int r = load(engine, dirfd, id, &c, err);

	if (r < 0)
		return r;
	if (set_status(engine, c, dirfd, &damage) < 0) {
		c->status = "damaged";
		c->damage = arena_strdup(c->arena, skip_id(damage.text, id));
		if (!c->damage)
			return err_set(err, ENOMEM, "read container %.12s", id);
	}
	*ret = take_ptr(c);
	return 0;
}

int engine_load_created(struct engine *engine, int dirfd, const char *id, pid_t pid,
			struct engine_container **ret, struct err *err)
{
	int r = load(engine, dirfd, id, ret, err);

	if (r < 0)
		return r;
	(*ret)->status = "created";
	(*ret)->pid = pid;
	return 0;
}

struct engine_container *engine_container_free(struct engine_container *container)
{
	/* The rest lives in its own arena. */
	if (container) {
		publish_list_deinit(&container->ports);
		health_record_deinit(&container->health);
		arena_free(container->arena);
	}
	return NULL;
}
