/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job, alloc, machine, secret, cell: hand over to the helper that talks to cells, in place of
 * ourselves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/ctr/cell.h"
#include "base/program.h"

#define HELPER "cellar-cell"

/* Options and help of what is behind the group are the helper's. */
static int hand_over(const char *group, const struct ctr *ctr, int argc, char **argv,
		     struct err *err)
{
	_cleanup_free_ const char **command = calloc((size_t)argc + 10, sizeof(*command));
	char program[PATH_MAX];
	size_t n = 0;

	err_try(program_find(HELPER, program, err));
	if (!command)
		return err_set(err, ENOMEM, "execute %s", program);
	command[n++] = HELPER;
	if (ctr->root) {
		command[n++] = "--root";
		command[n++] = ctr->root;
	}
	if (ctr->runroot) {
		command[n++] = "--runroot";
		command[n++] = ctr->runroot;
	}
	if (ctr->cell) {
		command[n++] = "--cell";
		command[n++] = ctr->cell;
	}
	command[n++] = group;
	for (int i = 0; i < argc; i++)
		command[n++] = argv[i];
	execv(program, (char *const *)(uintptr_t)command);
	return err_set(err, errno, "execute %s", program);
}

static int job_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("job", ctr, argc, argv, err);
}

static int machine_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("machine", ctr, argc, argv, err);
}

static int alloc_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("alloc", ctr, argc, argv, err);
}

static int policy_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("policy", ctr, argc, argv, err);
}

static int quota_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("quota", ctr, argc, argv, err);
}

static int cell_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("cell", ctr, argc, argv, err);
}

static int secret_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	return hand_over("secret", ctr, argc, argv, err);
}

static const struct option_entry no_options[] = { OPTION_END };

const struct verb verb_job = {
	.command = {
		.name = "ctr job",
		.args = "COMMAND [ARG...]",
		.summary = "jobs of a cell",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = job_verb,
};

const struct verb verb_machine = {
	.command = {
		.name = "ctr machine",
		.args = "COMMAND [ARG...]",
		.summary = "machines of a cell",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = machine_verb,
};

const struct verb verb_alloc = {
	.command = {
		.name = "ctr alloc",
		.args = "COMMAND [ARG...]",
		.summary = "alloc sets of a cell",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = alloc_verb,
};

const struct verb verb_secret = {
	.command = {
		.name = "ctr secret",
		.args = "COMMAND [ARG...]",
		.summary = "secrets of a cell",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = secret_verb,
};

const struct verb verb_cell = {
	.command = {
		.name = "ctr cell",
		.args = "COMMAND [ARG...]",
		.summary = "the cell as a whole",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = cell_verb,
};

const struct verb verb_policy = {
	.command = {
		.name = "ctr policy",
		.args = "COMMAND [ARG...]",
		.summary = "who may do what in a cell",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = policy_verb,
};

const struct verb verb_quota = {
	.command = {
		.name = "ctr quota",
		.args = "COMMAND [ARG...]",
		.summary = "how much owners may ask of a cell",
		.options = no_options,
		.flags = OPTIONS_STOP_AT_ARG,
		.args_max = SIZE_MAX,
	},
	.run = quota_verb,
};

bool ctr_is_of_cell(const struct verb *verb)
{
	static const struct verb *const of_cell[] = { &verb_job,    &verb_alloc,  &verb_machine,
						      &verb_secret, &verb_policy, &verb_quota,
						      &verb_cell };

	for (size_t i = 0; i < ARRAY_SIZE(of_cell); i++)
		if (of_cell[i] == verb)
			return true;
	return false;
}

void ctr_cell_words(const struct ctr *ctr, size_t count, char *const *words)
{
	hand_over("words", ctr, (int)count, (char **)(uintptr_t)words, NULL);
}
