/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/resolve.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/container.h"
#include "runtime/engine/id.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/names.h"
#include "runtime/engine/stage.h"

#define INDEX LAYOUT_NETWORKS "/names"

struct search {
	const char *runroot;
	int containers_fd;
	struct dns_address *addresses;
	size_t count, max;
};

static bool is_alive(const char *runroot, const char *id)
{
	_cleanup_container_ struct container *container = NULL;

	return container_open(runroot, id, &container, NULL) == 0 &&
	       container_status(container) != OCI_STOPPED;
}

/* Of "10.77.0.2/16" or "fd00::a4d:2/64". */
static void add_address(struct search *s, const char *text)
{
	struct dns_address *a = &s->addresses[s->count];
	char address[INET6_ADDRSTRLEN];

	if (!text || s->count == s->max)
		return;
	snprintf(address, sizeof(address), "%.*s", (int)strcspn(text, "/"), text);
	*a = (struct dns_address){ .v6 = strchr(address, ':') };
	s->count += inet_pton(a->v6 ? AF_INET6 : AF_INET, address, &a->in6) == 1;
}

static void add_container(struct search *s, const char *id, bool may_join)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int fd =
		openat(s->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct meta meta;

	if (fd < 0 || !arena || meta_load(fd, arena, &meta, NULL) < 0 || !is_alive(s->runroot, id))
		return;
	if (meta.net.joined && may_join)
		add_container(s, meta.net.joined, false);
	add_address(s, meta.address);
	add_address(s, meta.net.address6);
}

static void add_by_prefix(struct search *s, const char *prefix)
{
	int fd = dir_open(s->containers_fd, ".", NULL);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && id_is_valid(e->d_name))
			add_container(s, e->d_name, true);
}

/* Names are told apart by case, but questions for them are not. */
static void lower(char *name)
{
	for (; *name; name++)
		*name = (char)tolower((unsigned char)*name);
}

static void add_by_index(struct search *s, const char *root, const char *name)
{
	char path[PATH_MAX], folder[NAMES_MAX + 1];
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;

	if (snprintf(folder, sizeof(folder), "%s", name) >= (int)sizeof(folder))
		return;
	lower(folder);
	if (layout_path(path, root, INDEX, folder, NULL) < 0)
		return;
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (id_is_valid(e->d_name))
			add_container(s, e->d_name, true);
}

static bool is_long_prefix(const char *name)
{
	return strlen(name) >= ID_SHORT_LEN && id_is_prefix(name);
}

size_t engine_resolve(const char *root, const char *runroot, const char *name,
		      struct dns_address *ret, size_t max)
{
	_cleanup_fd_ int containers_fd = stage_open_containers(root, false, NULL);
	struct search s = { runroot, containers_fd, ret, 0, max };
	char id[LAYOUT_ID_SIZE];

	if (containers_fd < 0 || !names_is_valid(name))
		return 0;
	if (names_find(containers_fd, name, id) == 0)
		add_container(&s, id, true);
	if (!s.count && is_long_prefix(name))
		add_by_prefix(&s, name);
	if (!s.count)
		add_by_index(&s, root, name);
	return s.count;
}

/* ---- the index ---- */

static int entry_path(const char *root, const char *alias, const char *id,
		      char folder[static PATH_MAX], char path[static PATH_MAX], struct err *err)
{
	char name[NAMES_MAX + 1];
	int r;

	snprintf(name, sizeof(name), "%s", alias);
	lower(name);
	r = layout_path(folder, root, INDEX, name, err);
	return r < 0 ? r : layout_path(path, folder, id, NULL, err);
}

static int add_entry(const char *root, const char *alias, const char *id, struct err *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	int r = entry_path(root, alias, id, folder, path, err), fd = -1;

	if (r < 0)
		return r;
	/* Who leaves it last removes the folder, perhaps right now. */
	for (int tries = 0; fd < 0 && tries < 100; tries++) {
		r = dir_create(AT_FDCWD, folder, 0700, err);
		if (r < 0)
			return r;
		fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != ENOENT)
			break;
	}
	if (fd < 0)
		return err_set(err, errno, "create %s", path);
	close(fd);
	return 0;
}

int resolve_index_add(const char *root, const struct meta *meta, struct err *err)
{
	int r = 0;

	for (const char *const *alias = meta->net.aliases; r == 0 && alias && *alias; alias++)
		r = add_entry(root, *alias, meta->id, err);
	return r;
}

void resolve_index_remove(const char *root, const struct meta *meta)
{
	char folder[PATH_MAX], path[PATH_MAX];

	for (const char *const *alias = meta->net.aliases; alias && *alias; alias++) {
		if (!names_is_valid(*alias) ||
		    entry_path(root, *alias, meta->id, folder, path, NULL) < 0)
			continue;
		unlink(path);
		/* The last one out takes the folders along. */
		if (rmdir(folder) == 0 && layout_path(folder, root, INDEX, NULL, NULL) == 0)
			rmdir(folder);
	}
}
