/* SPDX-License-Identifier: Apache-2.0 */
/* ctr upgrade: containers run on under the shim that is installed now. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cmd/ctr/verbs.h"

struct upgrade {
	bool all;
	const char *containerd;
};

/* clang-format off */
static const struct option_entry options[] = {
	OPTION_BOOL(struct upgrade, all, 'a', "all", "of all containers that run"),
	OPTION_STRING(struct upgrade, containerd, 0, "containerd", "PATH", "of containerd's: a shim's socket, or a folder of them (/run/containerd/s)"),
	OPTION_END,
};
/* clang-format on */

static int upgrade_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	int r = engine_find(engine, name, &c, err);

	(void)data;
	if (r == 0)
		r = engine_upgrade(engine, c, err);
	if (r == 0)
		puts(name);
	return r;
}

struct names {
	char **items;
	size_t count;
};

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int add_name(void *data, const struct engine_container *c)
{
	struct names *names = data;
	char **items;

	if (strcmp(c->status, "running") != 0 && strcmp(c->status, "paused") != 0)
		return 0;
	items = reallocarray(names->items, names->count + 2, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items = items;
	items[names->count] = strdup(c->id);
	items[names->count + 1] = NULL;
	return items[names->count++] ? 0 : -ENOMEM;
}

static int upgrade_all(const struct ctr *ctr, struct err *err)
{
	_cleanup_(names_free) struct names names = { 0 };
	_cleanup_engine_ struct engine *engine = NULL;
	int r = engine_open(ctr->root, ctr->runroot, &engine, err);

	if (r == 0)
		r = engine_each(engine, add_name, &names, err);
	if (r < 0 || !names.count)
		return r;
	return ctr_for_names(&verb_upgrade, ctr, names.items, upgrade_one, NULL, err);
}

static int upgrade_at(const char *path, struct err *err)
{
	int r = engine_upgrade_at(path, err);

	if (r == 0)
		puts(path);
	return r;
}

/* Those of other shims are passed over. The first failure counts, the rest is tried. */
static int upgrade_folder(DIR *dir, const char *path, struct err *err)
{
	struct dirent *entry;
	char socket[PATH_MAX];
	int r = 0, q;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		q = path_join(socket, sizeof(socket), path, entry->d_name, r < 0 ? NULL : err);
		if (q == 0)
			q = upgrade_at(socket, r < 0 ? NULL : err);
		if (q < 0 && r == 0)
			r = q;
	}
	return r;
}

static int upgrade_containerd(const char *path, struct err *err)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	int r;

	if (dir)
		return upgrade_folder(dir, path, err);
	if (errno != ENOTDIR)
		return err_set(err, errno, "open %s", path);
	r = upgrade_at(path, err);
	return r > 0 ? err_say(err, ENOENT, "no shim of Cellar listens at %s", path) : r;
}

static int upgrade(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	struct upgrade args = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_upgrade.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (args.containerd && !args.all && !count)
		return upgrade_containerd(args.containerd, err);
	if (args.containerd)
		return err_say(err, EINVAL, "--containerd stands alone");
	if (args.all == (count > 0))
		return err_say(err, EINVAL, "say which containers, or --all");
	return args.all ? upgrade_all(ctr, err)
			: ctr_for_names(&verb_upgrade, ctr, words, upgrade_one, NULL, err);
}

const struct verb verb_upgrade = {
	.command = {
		.name = "ctr upgrade",
		.args = "[CONTAINER...]",
		.summary = "let containers run on under the shim that is installed now",
		.details = "The shim's process executes the new program in its place. Nothing that it\n"
			   "holds is lost, but that what a published UDP port passes on goes by new sockets.\n"
			   "A program that cannot take over is refused, and the old one goes on.\n\n"
			   "Examples:\n"
			   "  ctr upgrade web\n"
			   "  ctr upgrade --all\n"
			   "  ctr upgrade --containerd /run/containerd/s",
		.options = options,
		.args_max = SIZE_MAX,
	},

	.run = upgrade,
};
