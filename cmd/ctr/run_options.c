/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_options.h"

#include <errno.h>
#include <string.h>

#include "base/signal_name.h"
#include "cmd/ctr/assignment_file.h"
#include "cmd/ctr/show.h"
#include "runtime/engine/platform.h"

#define OUR_ANNOTATIONS "io.cellar."

/* clang-format off */
const struct option_entry run_option_table[] = {
	OPTION_BOOL(struct run_args, detach, 'd', "detach", "return when it is started, and print its id"),
	OPTION_BOOL(struct run_args, rm, 0, "rm", "remove the container when it ends"),
	OPTION_STRING(struct run_args, name, 0, "name", "NAME", "name of the container (default: one is made up)"),
	OPTION_BOOL(struct run_args, interactive, 'i', "interactive", "pass stdin on"),
	OPTION_BOOL(struct run_args, tty, 't', "tty", "give it a terminal"),
	OPTION_LIST(struct run_args, env, 'e', "env", "NAME[=VALUE]", "set a variable, or take ours"),
	OPTION_LIST(struct run_args, env_files, 0, "env-file", "FILE", "set the variables of a file, a line NAME=VALUE each"),
	OPTION_STRING(struct run_args, workdir, 'w', "workdir", "DIR", "working folder"),
	OPTION_STRING(struct run_args, user, 'u', "user", "USER[:GROUP]", "run as this user, by name or number"),
	OPTION_STRING(struct run_args, entrypoint, 0, "entrypoint", "COMMAND", "instead of the image's; \"\": none"),
	OPTION_BOOL(struct run_args, init, 0, "init", "a small first process that reaps and passes signals on"),
	OPTION_STRING(struct run_args, stop_signal, 0, "stop-signal", "SIGNAL", "what `ctr stop` sends (default: the image's, SIGTERM)"),
	OPTION_INT(struct run_args, stop_timeout_s, 0, "stop-timeout", -1, 1000000, "SECONDS", "patience of `ctr stop` (default 10); -1: no end"),
	OPTION_LIST(struct run_args, labels, 'l', "label", "KEY[=VALUE]", "a word about the container, for programs and people"),
	OPTION_LIST(struct run_args, label_files, 0, "label-file", "FILE", "the labels of a file, a line KEY=VALUE each"),
	OPTION_LIST(struct run_args, annotations, 0, "annotation", "KEY[=VALUE]", "the same for the runtime and its hooks, in config.json"),
	OPTION_STRING(struct run_args, cidfile, 0, "cidfile", "FILE", "write the id to a file that is not there yet"),
	OPTION_STRING(struct run_args, domainname, 0, "domainname", "NAME", "NIS domain name"),
	OPTION_STRING(struct run_args, platform, 0, "platform", "OS/ARCH", "refuse an image for another one: linux/arm64"),
	OPTION_STRING(struct run_args, pull, 0, "pull", "WHEN", "missing (default) or never; a registry is not asked yet"),
	OPTION_GROUP(struct run_args, mounts, "Mounts", run_mounts_table),
	OPTION_GROUP(struct run_args, namespaces, "Namespaces", run_namespaces_table),
	OPTION_GROUP(struct run_args, limits, "Limits", run_limits_table),
	OPTION_GROUP(struct run_args, network, "Network", run_network_table),
	OPTION_GROUP(struct run_args, security, "Security", run_security_table),
	OPTION_GROUP(struct run_args, supervision, "Supervision", run_supervision_table),
	OPTION_GROUP(struct run_args, health, "Health", run_health_table),
	OPTION_END,
};
/* clang-format on */

static int fill_entrypoint(const struct run_args *args, struct arena *arena,
			   struct engine_run_options *ret, struct err *err)
{
	const char **entrypoint;

	if (!args->entrypoint)
		return 0;
	entrypoint = arena_calloc(arena, 2, sizeof(*entrypoint));
	if (!entrypoint)
		return err_set(err, ENOMEM, "read the command line");
	entrypoint[0] = args->entrypoint;
	ret->entrypoint = entrypoint;
	return 0;
}

static int fill_labels(const char *const *words, struct arena *arena, struct labels *ret,
		       struct err *err)
{
	struct oci_annotation *items;
	size_t count = 0;

	while (words && words[count])
		count++;
	items = arena_calloc(arena, count + 1, sizeof(*items));
	if (!items)
		return err_set(err, ENOMEM, "read the command line");
	for (size_t i = 0; i < count; i++)
		err_try(labels_parse_word(words[i], arena, &items[i], err));
	*ret = (struct labels){ items, count };
	return 0;
}

static int fill_words(const struct run_args *args, struct arena *arena,
		      struct engine_run_options *ret, struct err *err)
{
	const char *const *labels = NULL;

	if (assignment_files_read(&args->env_files, &args->env, ASSIGNMENT_BARE_FROM_OURS, arena,
				  &ret->env, err) < 0)
		return err_add(err, "--env-file");
	if (assignment_files_read(&args->label_files, &args->labels, ASSIGNMENT_BARE_KEPT, arena,
				  &labels, err) < 0)
		return err_add(err, "--label-file");
	if (fill_labels(labels, arena, &ret->labels, err) < 0)
		return err_add(err, "--label");
	if (fill_labels(args->annotations.items, arena, &ret->annotations, err) < 0)
		return err_add(err, "--annotation");
	for (size_t i = 0; i < ret->annotations.count; i++)
		if (strncmp(ret->annotations.items[i].key, OUR_ANNOTATIONS,
			    strlen(OUR_ANNOTATIONS)) == 0)
			return err_say(err, EINVAL,
				       "--annotation: %s: keys with " OUR_ANNOTATIONS
				       " in front are Cellar's own",
				       ret->annotations.items[i].key);
	return 0;
}

static int check_pull(const char *when, struct err *err)
{
	if (!when || strcmp(when, "missing") == 0 || strcmp(when, "never") == 0)
		return 0;
	if (strcmp(when, "always") == 0)
		return err_say(err, ENOTSUP,
			       "--pull: Cellar cannot ask a registry yet; bring the image by `ctr "
			       "image import`, and leave out --pull always");
	return err_say(err, EINVAL,
		       "--pull: \"%s\" is unknown; there are missing, never and always", when);
}

static int fill_life(const struct run_args *args, struct engine_run_options *ret, struct err *err)
{
	int sig;

	if (args->stop_signal && signal_parse(args->stop_signal, &sig, err) < 0)
		return err_add(err, "--stop-signal");
	if (args->platform)
		err_try(platform_check_word(args->platform, err));
	err_try(check_pull(args->pull, err));
	ret->init = args->init;
	ret->stop_signal = args->stop_signal;
	ret->platform = args->platform;
	ret->domainname = args->domainname;
	if (args->stop_timeout_s != RUN_UNSET)
		ret->stop_timeout_s = (struct oci_i64){ true, args->stop_timeout_s };
	return 0;
}

static int fill(const struct run_args *args, struct arena *arena, struct engine_run_options *ret,
		struct err *err)
{
	int r;

	ret->name = args->name;
	ret->workdir = args->workdir;
	ret->user = args->user;
	ret->terminal = args->tty;
	ret->interactive = args->interactive;
	ret->detach = args->detach;
	ret->auto_remove = args->rm;
	r = fill_entrypoint(args, arena, ret, err);
	if (r == 0)
		r = fill_words(args, arena, ret, err);
	if (r == 0)
		r = fill_life(args, ret, err);
	if (r == 0)
		r = run_mounts_fill(&args->mounts, arena, ret, err);
	if (r == 0)
		r = run_namespaces_fill(&args->namespaces, ret, err);
	if (r == 0)
		r = run_limits_fill(&args->limits, arena, ret, err);
	if (r == 0)
		r = run_network_fill(&args->network, arena, ret, err);
	if (r == 0)
		r = run_security_fill(&args->security, arena, ret, err);
	if (r == 0)
		r = run_supervision_fill(&args->supervision, arena, ret, err);
	if (r == 0)
		r = run_health_fill(&args->health, arena, ret, err);
	return r;
}

int run_args_parse(const struct options_command *command, int argc, char **argv,
		   struct run_args *args, struct arena *arena, struct engine_run_options *ret,
		   struct err *err)
{
	char **words;
	size_t count;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read the command line");
	r = options_parse(command, argc, argv, args, &words, &count, err);
	if (r != 0)
		return r;
	ret->image = words[0];
	ret->args = (const char *const *)words + 1;
	return fill(args, arena, ret, err);
}

void run_args_deinit(struct run_args *args)
{
	options_deinit(run_option_table, args);
}
