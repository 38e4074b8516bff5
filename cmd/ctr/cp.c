/* SPDX-License-Identifier: Apache-2.0 */
/* ctr cp: files between the host and a container. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cmd/ctr/foreign_words.h"
#include "cmd/ctr/image_helper.h"
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
	*ret_name = arena_strndup(arena, word, (size_t)(colon - word));
	return *ret_name ? 0 : err_set(err, ENOMEM, "read the command line");
}

static void remove_folder(const char *path)
{
	struct err err = { 0 };

	if (*path && tree_remove(AT_FDCWD, path, &err) < 0)
		log_warn("%s", err.text);
}

/* The helper unpacks stdin to a folder of ours alone, as it does with layers: nothing in the tar
 * leads out of that. What is there goes on as any folder does. */
static int copy_from_tar(const struct ctr *ctr, struct engine *engine,
			 const struct engine_container *c, struct engine_copy *copy,
			 struct err *err)
{
	char folder[PATH_MAX], content[PATH_MAX + 4];
	const char *words[] = { "unpack", folder, NULL };
	int r = path_join(folder, sizeof(folder), engine_root(engine), "cp-XXXXXX", err);

	if (r < 0)
		return r;
	if (!mkdtemp(folder))
		return err_set(err, errno, "make a folder in %s", engine_root(engine));
	r = image_helper_run(ctr, words, err);
	if (r == 0) {
		snprintf(content, sizeof(content), "%s/.", folder);
		copy->outside = content;
		r = engine_copy(engine, c, copy, err);
	}
	remove_folder(folder);
	return r;
}

static int cp_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_engine_container_ struct engine_container *c = NULL;
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct engine_copy copy = { 0 };
	struct cp_args args = { 0 };
	const char *name = NULL;
	bool is_tar;
	char **words;
	size_t count;
	int r = options_parse(&verb_cp.command, argc, argv, &args, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = arena ? parse(words, arena, &name, &copy, err)
		  : err_set(err, ENOMEM, "read the command line");
	is_tar = r == 0 && strcmp(copy.outside, "-") == 0;
	/* A tar's owners are its files'. */
	copy.keep_owner = args.archive || (is_tar && copy.into);
	copy.follow = args.follow;
	if (is_tar && !copy.into) {
		if (isatty(STDOUT_FILENO))
			return err_say(err, EINVAL,
				       "a tar is nothing for a terminal; write it to a "
				       "file or a program");
		copy.outside = NULL;
		copy.tar_fd = STDOUT_FILENO;
	}
	if (r == 0)
		r = ctr_open(ctr, &engine, err);
	if (r == 0)
		r = engine_find(engine, name, &c, err);
	if (r < 0)
		return r;
	return is_tar && copy.into ? copy_from_tar(ctr, engine, c, &copy, err)
				   : engine_copy(engine, c, &copy, err);
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
			   "- for the other one is a tar, on stdin or stdout; its files keep their owners.\n"
			   "\n"
			   "Examples:\n"
			   "  ctr cp ./www web:/srv\n"
			   "  ctr cp web:/etc/nginx/. ./conf\n"
			   "  ctr cp web:/srv - | tar -t",
		.options = cp_options,
		.hints = foreign_cp_options,
		.args_min = 2,
		.args_max = 2,
	},
	.run = cp_verb,
};
