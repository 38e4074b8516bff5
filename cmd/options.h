/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines by table: the options of a verb are data, from which the parser fills a struct and
 * `--help` prints. Nothing is parsed that the help does not show, and the other way round.
 *
 *	struct run_args {
 *		const char *bundle;
 *		bool detach;
 *		struct options_list env;
 *	};
 *	static const struct option_entry run_options[] = {
 *		OPTION_STRING(struct run_args, bundle, 'b', "bundle", "DIR", "bundle's folder"),
 *		OPTION_BOOL(struct run_args, detach, 'd', "detach", "return when started"),
 *		OPTION_LIST(struct run_args, env, 'e', "env", "NAME=VALUE", "set a variable"),
 *		OPTION_END,
 *	};
 *
 * Accepted: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, `-abc` for three
 * boolean letters, `--flag=false`, and `--` as the end of options. A "-" alone is a positional.
 * Given twice, the last counts, except in lists, which collect.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"

enum option_kind {
	OPTION_KIND_BOOL,   /* bool */
	OPTION_KIND_STRING, /* const char *, pointing into argv */
	OPTION_KIND_INT,    /* int64_t, from min to max */
	OPTION_KIND_LIST,   /* struct options_list */
	OPTION_KIND_GROUP,  /* a struct of its own, with a table of its own */
};

/* Values of a repeated option: items is NULL-terminated once there is one, and owned; the strings
 * point into argv. A zeroed list is empty. */
struct options_list {
	const char **items;
	size_t count;
};

struct option_entry {
	const char *name; /* long name without dashes, or NULL */
	char letter;	  /* or 0 */
	enum option_kind kind;
	size_t offset;	   /* of the field in the target struct */
	const char *value; /* what the help calls the value; NULL for a boolean */
	const char *help;  /* one line without a full stop; NULL: an alias that help leaves out */
	int64_t min, max;  /* OPTION_KIND_INT */
	const struct option_entry *group; /* OPTION_KIND_GROUP; its offsets count from the field */
};

#define OPTION_END                                                  \
	{                                                           \
		.name = NULL, .letter = 0, .kind = OPTION_KIND_BOOL \
	}

/* The field's type is checked when compiled. */
#define OPTION_FIELD_(type, field, want)                                                    \
	(offsetof(type, field) +                                                            \
	 0 * sizeof(char[__builtin_types_compatible_p(want, __typeof__(((type *)0)->field)) \
				 ? 1                                                        \
				 : -1]))
#define OPTION_BOOL(type, field, letter_, name_, help_)                     \
	{                                                                   \
		.name = name_, .letter = letter_, .kind = OPTION_KIND_BOOL, \
		.offset = OPTION_FIELD_(type, field, bool), .help = help_   \
	}
#define OPTION_STRING(type, field, letter_, name_, value_, help_)                                  \
	{                                                                                          \
		.name = name_, .letter = letter_, .kind = OPTION_KIND_STRING,                      \
		.offset = OPTION_FIELD_(type, field, const char *), .value = value_, .help = help_ \
	}
#define OPTION_INT(type, field, letter_, name_, min_, max_, value_, help_)                     \
	{                                                                                      \
		.name = name_, .letter = letter_, .kind = OPTION_KIND_INT,                     \
		.offset = OPTION_FIELD_(type, field, int64_t), .value = value_, .help = help_, \
		.min = min_, .max = max_                                                       \
	}
#define OPTION_LIST(type, field, letter_, name_, value_, help_)                             \
	{                                                                                   \
		.name = name_, .letter = letter_, .kind = OPTION_KIND_LIST,                 \
		.offset = OPTION_FIELD_(type, field, struct options_list), .value = value_, \
		.help = help_                                                               \
	}

/* The help prints a group under its title, in the order of the table. */
#define OPTION_GROUP(type, field, title_, table_)                                           \
	{                                                                                   \
		.kind = OPTION_KIND_GROUP, .offset = offsetof(type, field), .help = title_, \
		.group = table_                                                             \
	}

enum {
	/* Options stop at the first positional (what follows belongs to another program). Without
	 * it they may stand anywhere before "--". */
	OPTIONS_STOP_AT_ARG = 1,
	/* `-bundle` is `--bundle`, as Go's flag package reads it; it goes before `-b undle`. */
	OPTIONS_SINGLE_DASH = 2,
};

/* An option of another program that people type here, and what to write instead: the rest of the
 * sentence "there is no --gpus: ...". */
struct option_hint {
	const char *name; /* without dashes; a letter alone stands for -LETTER, "health-" for all
			   * that begin so */
	const char *hint;
};

/* One command of a program, as its table and its help know it. */
struct options_command {
	const char *name;    /* as typed, "cellar run", "ctr image import" */
	const char *args;    /* behind the options: "ID [SIGNAL]"; NULL: none */
	const char *summary; /* one line */
	const char *details; /* paragraphs and examples, or NULL */
	const struct option_entry *options;
	unsigned flags;			 /* OPTIONS_* */
	size_t args_min, args_max;	 /* positionals; SIZE_MAX: any number */
	const struct option_hint *hints; /* ended by one without a name; or NULL */
};

/*
 * Parses what stands behind the command's name. target is the struct of the table and holds the
 * defaults. ret_args: the positionals, NULL-terminated, in argv's own memory (which is permuted).
 * Returns 0; 1 when --help or -h was given (-h only where no entry has that letter), and then
 * nothing else counts; or -EINVAL with a sentence that names the option.
 * Lists in target have to be freed by options_list_deinit(), also on failure.
 */
int options_parse(const struct options_command *command, int argc, char **argv, void *target,
		  char ***ret_args, size_t *ret_count, struct err *err);

void options_list_deinit(struct options_list *list);

/* Frees all lists that the table knows, groups included. */
void options_deinit(const struct option_entry *entries, void *target);

/* "Usage: ...", the summary, details, and a line an option. */
void options_help(const struct options_command *command, FILE *out);

/* The lines of a table alone, for a program's global options. */
void options_help_table(const struct option_entry *entries, FILE *out);

#define _cleanup_options_list_ _cleanup_(options_list_deinit)
