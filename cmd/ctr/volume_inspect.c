/* SPDX-License-Identifier: Apache-2.0 */
/* ctr volume inspect */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/ctr/show_volume.h"
#include "cmd/ctr/inspect_each.h"
#include "cmd/ctr/verbs.h"

void show_volume_json(struct json_writer *w, const struct engine_volume *v)
{
	char time[CLOCK_RFC3339_SIZE];

	json_open_object(w);
	json_field_string(w, "name", v->name);
	json_field_string(w, "path", v->data_path);
	if (v->created_ns)
		json_field_string(w, "created", clock_format(v->created_ns, time));
	json_field_bool(w, "anonymous", v->anonymous);
	json_field_strings(w, "labels", v->labels);
	json_field_strings(w, "users", v->users);
	json_close_object(w);
}

static int inspect_one(struct engine *engine, const char *name, void *data, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_volume volume;
	int r = arena ? engine_volume_find(engine, name, arena, &volume, err)
		      : err_set(err, ENOMEM, "inspect");

	if (r == 0)
		show_volume_json(data, &volume);
	return r;
}

static int inspect_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	char **words;
	size_t count;
	int r = options_parse(&verb_volume_inspect.command, argc, argv, NULL, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	return inspect_each(&verb_volume_inspect, ctr, words, "json", inspect_one, err);
}

static const struct option_entry inspect_options[] = { OPTION_END };

const struct verb verb_volume_inspect = {
	.command = {
		.name = "ctr volume inspect",
		.args = "VOLUME...",
		.summary = "show all about volumes, as JSON",
		.details = "\"users\" are the ids of the containers that were made with it.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr volume inspect data | jq -r '.[0].path'",
		.options = inspect_options,
		.args_min = 1,
		.args_max = SIZE_MAX,
	},
	.run = inspect_verb,
};
