/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a container while it is made: first what they are (asked for, taken from other
 * containers, declared by the image), with names for anonymous volumes, so that meta.json can tell;
 * later the volumes and folders themselves, when nothing else can be wrong any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/event_log.h"
#include "runtime/engine/host_mount.h"
#include "runtime/engine/id.h"
#include "runtime/engine/volume_fill.h"
#include "storage/volume.h"

#define MOUNTS_MAX 1024

static bool has_target(const struct meta *meta, const char *target)
{
	for (size_t i = 0; i < meta->mounts_count; i++)
		if (strcmp(meta->mounts[i].target, target) == 0)
			return true;
	return false;
}

/*
 * Where it leads now is what the container gets each time it is started: in between, a container
 * that has a folder above may put a symlink there. What is missing is made later.
 */
static const char *follow(struct creation *c, const char *path)
{
	char buf[PATH_MAX], real[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(buf))
		return path;
	while (len > 1) {
		memcpy(buf, path, len);
		buf[len] = '\0';
		if (realpath(buf, real))
			return arena_printf(c->arena, "%s%s", strcmp(real, "/") == 0 ? "" : real,
					    path + len);
		if (errno != ENOENT)
			return path;
		while (len > 0 && path[--len] != '/')
			;
	}
	return path;
}

static int add(struct creation *c, const struct engine_mount *mount, struct err *err)
{
	struct engine_mount *copy = &c->mounts[c->meta.mounts_count];
	char id[LAYOUT_ID_SIZE];
	int r;

	if (c->meta.mounts_count == MOUNTS_MAX)
		return err_say(err, E2BIG, "more than %d mounts", MOUNTS_MAX);
	*copy = *mount;
	if (copy->type == ENGINE_MOUNT_VOLUME && !copy->source) {
		r = id_make(id, err);
		if (r < 0)
			return r;
		copy->anonymous = true;
		copy->source = arena_strdup(c->arena, id);
		if (!copy->source)
			return err_set(err, ENOMEM, "name a volume");
	}
	c->meta.mounts_count++;
	return 0;
}

/* "CONTAINER[:ro|rw]": its binds and volumes; what was asked for goes before. */
static int add_from(struct creation *c, const char *text, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *other = NULL;
	const char *colon = strchr(text, ':'), *mode = colon ? colon + 1 : "";
	char *name = arena_strndup(c->arena, text, strcspn(text, ":"));
	int r = 0;

	if (!name)
		return err_set(err, ENOMEM, "read --volumes-from");
	if (colon && strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
		return err_say(err, EINVAL, "--volumes-from: \"%s\": behind the colon is ro or rw",
			       text);
	r = engine_find(c->engine, name, &other, err);
	if (r < 0)
		return err_add(err, "--volumes-from");
	for (size_t i = 0; r == 0 && i < other->mounts_count; i++) {
		struct engine_mount mount = other->mounts[i];

		if (mount.type == ENGINE_MOUNT_TMPFS || has_target(&c->meta, mount.target))
			continue;
		mount.source = arena_strdup(c->arena, mount.source);
		mount.target = arena_strdup(c->arena, mount.target);
		if (mount.propagation)
			mount.propagation = arena_strdup(c->arena, mount.propagation);
		if (!mount.source || !mount.target)
			return err_set(err, ENOMEM, "read --volumes-from");
		mount.anonymous = false; /* it is the other's */
		mount.must_exist = true;
		mount.readonly |= strcmp(mode, "ro") == 0;
		r = add(c, &mount, err);
	}
	return r;
}

/* An image's VOLUMEs, where nothing else is mounted. */
static int add_of_image(struct creation *c, struct err *err)
{
	const char *const *volumes = c->image->config.volumes;
	int r = 0;

	for (; r == 0 && volumes && *volumes; volumes++) {
		char *target = arena_strdup(c->arena, *volumes);

		if (!target)
			return err_set(err, ENOMEM, "read the image's volumes");
		path_clean(target);
		if (target[0] == '/' && target[1] && !has_target(&c->meta, target))
			r = add(c,
				&(struct engine_mount){ .type = ENGINE_MOUNT_VOLUME,
							.target = target },
				err);
	}
	return r;
}

int creation_choose_mounts(struct creation *c, struct err *err)
{
	const struct engine_mounts *asked = &c->options->mounts;
	int r = 0;

	c->mounts = arena_calloc(c->arena, MOUNTS_MAX, sizeof(*c->mounts));
	if (!c->mounts)
		return err_set(err, ENOMEM, "choose mounts");
	c->meta.mounts = c->mounts;
	for (size_t i = 0; r == 0 && i < asked->count; i++) {
		struct engine_mount mount = asked->items[i];

		/* Else the start refuses it: who asked may have put the symlink there. */
		if (mount.type == ENGINE_MOUNT_BIND && !mount.real)
			mount.source = follow(c, mount.source);
		r = mount.type == ENGINE_MOUNT_BIND && !mount.source
			    ? err_set(err, ENOMEM, "choose mounts")
			    : add(c, &mount, err);
	}
	for (const char *const *f = asked->volumes_from; r == 0 && f && *f; f++)
		r = add_from(c, *f, err);
	return r == 0 ? add_of_image(c, err) : r;
}

int creation_mount_paths(struct creation *c, const char *const **ret, struct err *err)
{
	const char **paths = arena_calloc(c->arena, c->meta.mounts_count + 1, sizeof(*paths));

	for (size_t i = 0; paths && i < c->meta.mounts_count; i++) {
		const struct engine_mount *m = &c->meta.mounts[i];

		paths[i] = m->type == ENGINE_MOUNT_VOLUME
				   ? volume_data_path(c->engine->root, m->source, c->arena)
			   : m->type == ENGINE_MOUNT_BIND ? m->source
							  : "";
		if (!paths[i])
			paths = NULL;
	}
	if (!paths)
		return err_set(err, ENOMEM, "choose mounts");
	*ret = paths;
	return 0;
}

/* -v makes a folder of what is missing, as Docker does; --mount finds a typing error. */
static int prepare_bind(const struct engine_mount *m, struct err *err)
{
	struct stat st;

	if (stat(m->source, &st) == 0)
		return m->propagation ? host_mount_check(m->source, m->propagation, err) : 0;
	if (errno != ENOENT)
		return err_set(err, errno, "mount %s at %s", m->source, m->target);
	if (m->must_exist)
		return err_say(err, ENOENT,
			       "mount %s at %s: there is nothing of that name on the host",
			       m->source, m->target);
	err_try(dir_create(AT_FDCWD, m->source, 0755, err));
	return m->propagation ? host_mount_check(m->source, m->propagation, err) : 0;
}

static int prepare_volume(struct creation *c, const struct engine_mount *m, struct err *err)
{
	const struct volume_info make = { .labels = m->labels, .anonymous = m->anonymous };
	const struct volume_fill fill = { c->store, c->image, c->dir, m->target };
	_cleanup_volume_ struct volume *volume = NULL;
	int r = volume_open(c->engine->root, m->source, &make, &volume, err);

	if (r > 0)
		event_tell_volume(c->engine->runroot, "create", m->source);
	if (r >= 0)
		r = volume_add_user(volume, c->id, err);
	if (r < 0 || m->no_copy)
		return r;
	r = volume_is_empty(volume, err);
	if (r > 0)
		r = volume_fill(volume, &fill, c->arena, err);
	return r < 0 ? err_add(err, "volume %.40s at %s", m->source, m->target) : 0;
}

/* Relabelling is not written yet, and a mount that SELinux keeps shut would be a riddle. */
static int check_relabel(const struct engine_mount *m, struct err *err)
{
	if (!m->relabel || access("/sys/fs/selinux/enforce", F_OK) < 0)
		return 0;
	return err_say(err, EOPNOTSUPP,
		       "mount %s at %s: z and Z (new labels for SELinux) are not there yet; label "
		       "it by chcon, and leave them out",
		       m->source, m->target);
}

int creation_prepare_mounts(struct creation *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < c->meta.mounts_count; i++) {
		const struct engine_mount *m = &c->meta.mounts[i];

		r = check_relabel(m, err);
		if (r == 0 && m->type == ENGINE_MOUNT_BIND)
			r = prepare_bind(m, err);
		else if (r == 0 && m->type == ENGINE_MOUNT_VOLUME)
			r = prepare_volume(c, m, err);
	}
	return r < 0 ? r : 0;
}
