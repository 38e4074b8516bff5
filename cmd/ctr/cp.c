/* SPDX-License-Identifier: Apache-2.0 */
/* ctr cp: files between the host and a container. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/verbs.h"
#include "runtime/engine/copy.h"

struct cp_args {
	bool archive, follow;
};

/* Where the container's name ends; NULL: it is a path of the host, as ./a:b is. */
static const char *find_colon(const char *word)
{
	const char *colon = strchr(word, ':');

	return colon && colon != word && *word != '/' && *word != '.' ? colon : NULL;
}

static int parse(char **words, struct arena *arena, const char **ret_name, struct engine_copy *ret,
		 struct err *err)
{
	const char *from = find_colon(words[0]), *to = find_colon(words[1]);
	const char *word = from ? words[0] : words[1], *colon = from ? from : to;

	if (!from == !to)
		return err_say(err, EINVAL,
			       "%s of \"%s\" and \"%s\" is a path in a container, NAME:PATH",
			       from ? "each" : "neither", words[0], words[1]);
	ret->into = to;
	ret->inside = colon[1] ? colon + 1 : "/";
	ret->outside = from ? words[1] : words[0];
	if (strcmp(ret->outside, "-") == 0)
		return err_say(
			err, ENOTSUP,
			"there are no archives on stdin and stdout; write `ctr exec NAME tar "
			"-cf - PATH`, or `ctr exec -i NAME tar -xf -`");
	*ret_name = arena_strndup(arena, word, (size_t)(colon - word));
	return *ret_name ? 0 : err_set(err, ENOMEM, "read the command line");
}

static int cp_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_copy copy = { 0 };
	struct cp_args args = { 0 };
	const char *name = NULL;
	char **words;
	size_t count;
	int r = options_parse(&verb_cp.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = arena ? parse(words, arena, &name, &copy, err)
		  : err_set(err, ENOMEM, "read the command line");
	copy.keep_owner = args.archive;
	copy.follow = args.follow;
	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_find(engine, name, &c, err);
	return r < 0 ? r : engine_copy(engine, c, &copy, err);
}

static const struct option_entry cp_options[] = {
	OPTION_BOOL(struct cp_args, archive, 'a', "archive", "keep owners and setuid bits"),
	OPTION_BOOL(struct cp_args, follow, 'L', "follow-link",
		    "what SRC points to, where it is a symlink"),
	OPTION_END,
};

const struct verb verb_cp = {
	.command = {
		.name = "ctr cp",
		.args = "SRC DST",
		.summary = "copy files between the host and a container",
		.details = "One of the two is NAME:PATH, a path in a container that runs or not. As cp -r: into a\n"
			   "folder that is there, or under a name that is not; SRC/. is the content alone.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr cp ./www web:/srv\n"
			   "  ctr cp web:/etc/nginx/. ./conf",
		.options = cp_options,
		.hints = foreign_cp_options,
		.args_min = 2,
		.args_max = 2,
	},
	.run = cp_verb,
};
