/* SPDX-License-Identifier: Apache-2.0 */
/* ctr volume prune */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/volume.h"

struct prune_args {
	bool all;
};

struct prune {
	bool all;
	struct strbuf names; /* each ends with a NUL */
};

static int look_at(void *data, const struct engine_volume *v)
{
	struct prune *prune = data;

	if (!*v->users && (v->anonymous || prune->all))
		strbuf_add(&prune->names, v->name, strlen(v->name) + 1);
	return 0;
}

/* Each is asked once more, under its lock, whether somebody uses it. */
static int remove_all(struct engine *engine, const struct prune *prune, struct err *err)
{
	const char *end = prune->names.data + prune->names.len;
	int status = 0;

	for (const char *name = prune->names.data; name < end; name += strlen(name) + 1) {
		int r = engine_volume_remove(engine, name, err);

		if (r == 0) {
			puts(name);
		} else if (r != -EBUSY && r != -ENOENT) {
			ctr_complain(&verb_volume_prune, err);
			status = 1;
		}
		err_clear(err);
	}
	return status;
}

static int prune_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	struct prune_args args = { 0 };
	struct prune prune = { 0 };
	char **words;
	size_t count;
	int r = options_parse(&verb_volume_prune.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	prune.all = args.all;
	r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_volume_each(engine, look_at, &prune, err);
	if (r == 0 && !strbuf_ok(&prune.names))
		r = err_set(err, ENOMEM, "list volumes");
	if (r == 0 && prune.names.len)
		r = remove_all(engine, &prune, err);
	strbuf_deinit(&prune.names);
	return r;
}

static const struct option_entry prune_options[] = {
	OPTION_BOOL(struct prune_args, all, 'a', "all", "also those that have a name"),
	OPTION_END,
};

const struct verb verb_volume_prune = {
	.command = {
		.name = "ctr volume prune",
		.summary = "remove the anonymous volumes that no container uses",
		.details = "Asks no question. Prints the name of each that it removed.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr volume prune",
		.options = prune_options,
	},
	.run = prune_verb,
};
