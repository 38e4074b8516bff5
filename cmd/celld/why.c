/* SPDX-License-Identifier: Apache-2.0 */
/* celld why */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "cmd/celld/explain.h"
#include "cmd/celld/verbs.h"
#include "scheduler/sim/run.h"

#define CHECKPOINT_MAX ((size_t)16 << 30)

static int why_verb(int argc, char **argv, struct err *err)
{
	_cleanup_cell_ struct cell *cell = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct outside outside = { 0 };
	char **words, none;
	size_t count, len;
	int r = options_parse(&verb_why.command, argc, argv, &none, &words, &count, err);

	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	err_try(file_read(AT_FDCWD, words[0], CHECKPOINT_MAX, &bytes, &len, err));
	r = run_load_cell(bytes, len, &outside, &cell, err);
	if (r < 0)
		return err_add(err, "%s", words[0]);
	for (size_t i = 1; i < count; i++)
		err_try(explain(cell, words[i], stdout, err));
	return 0;
}

static const struct option_entry why_options[] = { OPTION_END };

const struct verb verb_why = {
	.command = {
		.name = "celld why",
		.args = "CHECKPOINT JOB[/INDEX]...",
		.summary = "explain why a task of a checkpoint is pending",
		.details = "The checkpoint is what `celld sim --checkpoint-out` writes. How many machines "
			   "fail\nthe task and by what, its place in the queue, and the smallest single "
			   "change\nthat would let it run, which was tried on the cell as it is.",
		.options = why_options,
		.args_min = 2,
		.args_max = SIZE_MAX,
	},
	.run = why_verb,
};
