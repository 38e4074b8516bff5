/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of --env-file and --label-file, in Docker's format: a line KEY=VALUE each, all behind the
 * first '=' is the value as it stands; blanks in front, empty lines and lines with '#' in front
 * count for nothing.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "cmd/options.h"

enum assignment_bare {
	ASSIGNMENT_BARE_FROM_OURS, /* KEY alone: its value in our environment, or nothing at all */
	ASSIGNMENT_BARE_KEPT,	   /* KEY alone stays so */
};

/*
 * All lines of all files, then all of the words; NULL-terminated, in the arena. NULL when there is
 * nothing. What is wrong is told with file and line.
 */
int assignment_files_read(const struct options_list *files, const struct options_list *words,
			  enum assignment_bare bare, struct arena *arena, const char *const **ret,
			  struct err *err);
