/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/criu_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define DEFAULT_CONFIG "/etc/criu/runc.conf" /* where people have their options for containers */
#define LOG_LEVEL 4

static int open_folder(const char *path, bool create, struct err *err)
{
	if (create)
		err_try(dir_create(AT_FDCWD, path, 0700, err));
	return dir_open(AT_FDCWD, path, err);
}

/*
 * Into a user namespace criu restores as the host's root first and as the namespace's own later on,
 * and opens images as both. So a folder that is closed to others gets the group of that root, which
 * may enter it and not list it. What we may not change we leave.
 */
static int let_in(int fd, const struct oci_config *config, struct err *err)
{
	const struct oci_id_map *map = NULL;
	struct stat st;

	for (size_t i = 0; i < config->gid_maps_count && !map; i++)
		if (config->gid_maps[i].container_id == 0)
			map = &config->gid_maps[i];
	if (!config->namespaces[OCI_NS_USER].present || !map)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at the images' folder");
	/* One that a group may use already is left as it is: CRIU says so itself if that is too
	 * little. */
	if (st.st_mode & (S_IXOTH | S_IRWXG))
		return 0;
	if ((fchown(fd, (uid_t)-1, map->host_id) < 0 ||
	     fchmod(fd, (st.st_mode & 07700) | S_IXGRP) < 0) &&
	    errno != EPERM)
		return err_set(err, errno, "open the images' folder to the user namespace");
	return 0;
}

static int parse_mode(const char *name, int *ret, struct err *err)
{
	static const struct {
		const char *name;
		int mode;
	} modes[] = { { "ignore", 0 }, { "none", 1 }, { "props", 2 },
		      { "soft", 3 },   { "full", 4 }, { "strict", 5 } };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(name, modes[i].name) != 0)
			continue;
		*ret = modes[i].mode;
		return 0;
	}
	return err_say(err, EINVAL,
		       "--manage-cgroups-mode: '%s' is none of soft, full, strict, ignore", name);
}

/* "10.0.0.1:1234", "[::1]:1234" */
static int parse_page_server(struct criu_options *o, const char *text, struct err *err)
{
	Criu__PageServer *ps = arena_alloc(o->arena, sizeof(*ps));
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;

	if (!colon || colon == text || *end || port < 1 || port > 65535)
		return err_say(err, EINVAL, "--page-server: '%s' is not of the form ADDRESS:PORT",
			       text);
	if (!ps)
		return err_set(err, ENOMEM, "ask criu");
	criu__page_server__init(ps);
	ps->address = text[0] == '[' && colon[-1] == ']'
			      ? arena_strndup(o->arena, text + 1, (size_t)(colon - text) - 2)
			      : arena_strndup(o->arena, text, (size_t)(colon - text));
	ps->has_port = 1;
	ps->port = (int)port;
	o->message.ps = ps;
	return ps->address ? 0 : err_set(err, ENOMEM, "ask criu");
}

#define SET(field, value)                   \
	do {                                \
		o->message.has_##field = 1; \
		o->message.field = (value); \
	} while (0)

/* What keeps packets out of the connections that are written down. */
static int parse_network_lock(struct criu_options *o, const char *name, struct err *err)
{
	static const char *const methods[] = { "iptables", "nftables", "skip" };

	for (size_t i = 0; name && i < ARRAY_SIZE(methods); i++) {
		if (strcmp(name, methods[i]) != 0)
			continue;
		SET(network_lock, (int)i + 1);
		return 0;
	}
	return name ? err_say(err, EINVAL,
			      "--network-lock: '%s' is none of iptables, nftables, skip", name)
		    : 0;
}

static int fill(struct criu_options *o, const struct container_criu_options *from,
		const struct oci_config *config, struct err *err)
{
	const char *file = oci_config_annotation(config, "org.criu.config");
	int mode;

	err_try(parse_mode(from->cgroups_mode ? from->cgroups_mode : "soft", &mode, err));
	err_try(parse_network_lock(o, from->network_lock, err));
	if (from->page_server)
		err_try(parse_page_server(o, from->page_server, err));
	if (!file && access(DEFAULT_CONFIG, R_OK) == 0)
		file = DEFAULT_CONFIG;
	o->message.config_file = (char *)(uintptr_t)file;
	SET(log_level, LOG_LEVEL);
	SET(notify_scripts, 1);
	SET(orphan_pts_master, 1);
	SET(tcp_established, from->tcp_established);
	SET(tcp_close, from->tcp_close);
	SET(ext_unix_sk, from->ext_unix_sk);
	SET(shell_job, from->shell_job);
	SET(file_locks, from->file_locks);
	SET(auto_dedup, from->auto_dedup);
	SET(lazy_pages, from->lazy_pages);
	SET(manage_cgroups, 1);
	SET(manage_cgroups_mode, mode);
	if (from->empty_ns)
		SET(empty_ns, from->empty_ns);
	if (from->has_status_fd)
		SET(status_fd, from->status_fd);
	return 0;
}

int criu_options_open(const struct container_criu_options *from, const struct oci_config *config,
		      bool create, const char *log, struct criu_options *ret, struct err *err)
{
	_cleanup_criu_options_ struct criu_options own = CRIU_OPTIONS_NONE;
	struct criu_options *o = &own;

	criu__options__init(&o->message);
	o->arena = arena_new();
	if (!o->arena)
		return err_set(err, ENOMEM, "ask criu");
	err_try(fill(o, from, config, err));
	o->images_fd = open_folder(from->image_path, create, err);
	if (o->images_fd < 0)
		return err_add(err, "the images' folder");
	err_try(let_in(o->images_fd, config, err));
	o->work_fd = open_folder(from->work_path ? from->work_path : from->image_path,
				 create || from->work_path, err);
	if (o->work_fd < 0)
		return err_add(err, "criu's work folder");
	o->message.images_dir_fd = o->images_fd;
	SET(work_dir_fd, o->work_fd);
	o->message.log_file = (char *)(uintptr_t)log;
	*ret = own;
	own = CRIU_OPTIONS_NONE;
	return 0;
}

void criu_options_close(struct criu_options *o)
{
	arena_free(o->arena);
	cleanup_fd(&o->images_fd);
	cleanup_fd(&o->work_fd);
}

int criu_options_add(struct criu_options *o, void *list, size_t *count, void *item, struct err *err)
{
	void ***field = list;

	if ((*count & (*count - 1)) == 0) {
		void **more = arena_calloc(o->arena, *count ? *count * 2 : 1, sizeof(*more));

		if (!more)
			return err_set(err, ENOMEM, "ask criu");
		if (*count > 0)
			memcpy(more, *field, *count * sizeof(*more));
		*field = more;
	}
	if (!item)
		return err_set(err, ENOMEM, "ask criu");
	(*field)[(*count)++] = item;
	return 0;
}

int criu_options_add_mounts(struct criu_options *o, const struct criu_mounts *mounts,
			    struct err *err)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct criu_mount *m = &mounts->list[i];
		Criu__ExternalMount *item = arena_alloc(o->arena, sizeof(*item));

		if (item) {
			criu__external_mount__init(item);
			item->key = (char *)(uintptr_t)m->target;
			item->val = (char *)(uintptr_t)(m->source ? m->source : m->target);
		}
		err_try(criu_options_add(o, &o->message.ext_mnt, &o->message.n_ext_mnt, item, err));
	}
	return 0;
}
