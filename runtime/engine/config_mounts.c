/* SPDX-License-Identifier: Apache-2.0 */
/* A list of mounts in which a later one on the same place replaces an earlier one. */
#include "runtime/engine/config_mounts.h"

#include "isolation/mount_options.h"
#include "runtime/engine/config_namespaces.h"
#include "runtime/engine/id_ranges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct mount_list {
	struct arena *arena;
	struct oci_mount *items;
	size_t count, size;
};

static const struct {
	const char *destination, *type, *source;
	const char *options[8];
} defaults[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { NULL } }, /* add_shm() */
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* Copies options, without "ro" where writable. */
static int set_options(struct mount_list *list, struct oci_mount *mount, const char *const *options,
		       bool writable, struct err *err)
{
	const char **copy = arena_calloc(list->arena, count_strings(options) + 1, sizeof(*copy));

	if (!copy)
		return err_set(err, ENOMEM, "build mounts");
	mount->options = copy;
	for (; *options; options++)
		if (!writable || strcmp(*options, "ro") != 0)
			copy[mount->options_count++] = *options;
	return 0;
}

static int add(struct mount_list *list, const char *destination, const char *type,
	       const char *source, const char *const *options, bool writable, struct err *err)
{
	struct oci_mount *mount = &list->items[list->count];

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].destination, destination) == 0)
			mount = &list->items[i];
	if (mount == &list->items[list->count])
		list->count++;
	*mount = (struct oci_mount){ .destination = destination, .type = type, .source = source };
	return set_options(list, mount, options, writable, err);
}

/* "ro" also in depth: a cgroup tree of the host's has others mounted below. */
static int add_shared(struct mount_list *list, const struct config_input *input, const char *target,
		      const char *source, struct err *err)
{
	bool cgroup = strcmp(target, "/dev/shm") != 0;

	return add(list, target, "bind", source,
		   cgroup && !input->options->security.privileged
			   ? LIST("rbind", "rprivate", "nosuid", "noexec", "nodev", "rro")
			   : LIST("rbind", "rprivate", "nosuid", "noexec", "nodev"),
		   false, err);
}

/* What other containers or the host see, too; 1 where the mount is an ordinary one. */
static int add_by_namespace(struct mount_list *list, const struct config_input *input,
			    const char *target, struct err *err)
{
	struct config_ns_mount buf;
	const struct config_ns_mount *shared = config_namespaces_mount(input, target, &buf);

	if (!shared)
		return 1;
	return shared->source ? add_shared(list, input, target, shared->source, err) : 0;
}

static int add_defaults(struct mount_list *list, const struct config_input *input, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(defaults) / sizeof(*defaults); i++) {
		bool sys = strncmp(defaults[i].destination, "/sys", 4) == 0;

		/*
		 * In the host's network too a sysfs of its own: a bind of the host's would bring
		 * what is mounted below it, tracefs and debugfs, writable.
		 */
		r = add_by_namespace(list, input, defaults[i].destination, err);
		if (r == 1)
			r = add(list, defaults[i].destination, defaults[i].type, defaults[i].source,
				defaults[i].options, sys && input->options->security.privileged,
				err);
	}
	return r;
}

static int add_shm(struct mount_list *list, const struct config_input *input, struct err *err)
{
	int64_t bytes = input->options->limits.shm_bytes;
	const char *size = arena_printf(list->arena, "size=%" PRId64,
					bytes ? bytes : (int64_t)CONFIG_SHM_BYTES);
	int r;

	if (!size)
		return err_set(err, ENOMEM, "build mounts");
	r = add_by_namespace(list, input, "/dev/shm", err);
	if (r != 1)
		return r;
	return add(list, "/dev/shm", "tmpfs", "shm",
		   LIST("nosuid", "noexec", "nodev", "mode=1777", size), false, err);
}

static int add_host_files(struct mount_list *list, const struct config_input *input,
			  struct err *err)
{
	static const char *const names[] = { "resolv.conf", "hostname", "hosts" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		const char *source = arena_printf(list->arena, "%s/%s", input->dir, names[i]);
		const char *target = arena_printf(list->arena, "/etc/%s", names[i]);

		if (!source || !target)
			return err_set(err, ENOMEM, "build mounts");
		r = add(list, target, "bind", source, LIST("rbind", "rprivate"), false, err);
	}
	return r;
}

/* On disk a volume has the container's ids, whoever these are on the host. */
static int map_ids(struct mount_list *list, const struct config_input *input, const char *target,
		   struct err *err)
{
	struct oci_id_map *map;

	if (!input->ns.id_base)
		return 0;
	map = arena_calloc(list->arena, 1, sizeof(*map));
	if (!map)
		return err_set(err, ENOMEM, "build mounts");
	*map = (struct oci_id_map){ 0, input->ns.id_base, ID_RANGE_SIZE };
	for (size_t i = 0; i < list->count; i++) {
		struct oci_mount *mount = &list->items[i];

		if (strcmp(mount->destination, target) != 0)
			continue;
		mount->uid_maps = mount->gid_maps = map;
		mount->uid_maps_count = mount->gid_maps_count = 1;
	}
	return 0;
}

/* Read-only means all the way down: "rro" goes over every mount that comes along. */
static int add_bind(struct mount_list *list, const struct config_input *input,
		    const struct engine_mount *m, const char *path, struct err *err)
{
	const char *options[5] = { m->below == ENGINE_BELOW_NOTHING ? "bind" : "rbind",
				   m->propagation ? m->propagation : "rprivate" };

	size_t count = 2;

	if (m->readonly)
		options[count++] = m->below == ENGINE_BELOW_SAME ? "rro" : "ro";
	/* Symlinks were followed when it was made. One that is there later may be a container's.
	 * Only in /proc there are links that lead to no path. */
	if (m->type == ENGINE_MOUNT_BIND && (m->real || strncmp(path, "/proc/", 6) != 0))
		options[count++] = MOUNT_OPTION_REAL_SOURCE;
	err_try(add(list, m->target, "bind", path, options, false, err));
	return m->type == ENGINE_MOUNT_VOLUME ? map_ids(list, input, m->target, err) : 0;
}

/* "size=64m,mode=700" behind Docker's defaults; later words win when they are applied. */
static int add_tmpfs(struct mount_list *list, const struct engine_mount *m, struct err *err)
{
	const char *options[OPTIONS_MAX] = { "nosuid", "nodev", "noexec", "mode=1777" };
	size_t count = 4;
	char *text = arena_strdup(list->arena, m->tmpfs_options ? m->tmpfs_options : "");
	char *save = NULL;

	if (!text)
		return err_set(err, ENOMEM, "build mounts");
	if (m->readonly)
		options[count++] = "ro";
	for (char *o = strtok_r(text, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (count + 1 >= OPTIONS_MAX)
			return err_say(err, E2BIG, "--tmpfs %s: too many options", m->target);
		options[count++] = o;
	}
	return add(list, m->target, "tmpfs", "tmpfs", options, false, err);
}

static int add_mounts(struct mount_list *list, const struct config_input *input, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < input->mounts_count; i++)
		r = input->mounts[i].type == ENGINE_MOUNT_TMPFS
			    ? add_tmpfs(list, &input->mounts[i], err)
			    : add_bind(list, input, &input->mounts[i], input->mount_paths[i], err);
	return r;
}

static size_t depth_of(const struct oci_mount *mount)
{
	size_t depth = 0;

	for (const char *p = mount->destination; *p; p++)
		depth += *p == '/';
	return depth;
}

/* Insertion sort: stable, and the list is short. */
static void sort_by_depth(struct oci_mount *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct oci_mount moving = items[i];
		size_t at = i;

		for (; at > 0 && depth_of(&items[at - 1]) > depth_of(&moving); at--)
			items[at] = items[at - 1];
		items[at] = moving;
	}
}

const char *config_mounts_propagation(const struct config_input *input)
{
	for (size_t i = 0; i < input->mounts_count; i++)
		if (input->mounts[i].propagation && strstr(input->mounts[i].propagation, "shared"))
			return "shared";
	return NULL;
}

int config_mounts_build(const struct config_input *input, struct arena *arena,
			const struct oci_mount **ret, size_t *ret_count, struct err *err)
{
	struct mount_list list = { .arena = arena };
	int r;

	list.size = ARRAY_SIZE(defaults) + 3 + input->mounts_count;
	list.items = arena_calloc(arena, list.size, sizeof(*list.items));
	if (!list.items)
		return err_set(err, ENOMEM, "build mounts");
	r = add_defaults(&list, input, err);
	if (r == 0)
		r = add_shm(&list, input, err);
	if (r == 0)
		r = add_host_files(&list, input, err);
	if (r == 0)
		r = add_mounts(&list, input, err);
	if (r < 0)
		return r;
	sort_by_depth(list.items, list.count);
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}
