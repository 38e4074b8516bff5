/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb needs around it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctr/verbs.h"

int ctr_open(const struct ctr *ctr, struct engine **ret, struct err *err)
{
	return engine_open(ctr->root, ctr->runroot, ret, err);
}

void ctr_complain(const struct verb *verb, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	/* What a person typed may be in it: a sentence stays one line, and moves no cursor. */
	snprintf(text, sizeof(text), "%s", err->text);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	fflush(stdout);
	fprintf(stderr, "ctr: %s: %s%s\n", verb->command.name + strlen("ctr "), text,
		(err->code == EACCES || err->code == EPERM) && geteuid() != 0
			? "; ctr is to be run as root"
			: "");
}

int ctr_dispatch(const struct verb *verb, const struct ctr *ctr, int argc, char **argv)
{
	struct err err = { 0 };
	int r = verb->run(ctr, argc, argv, &err);

	if (r == VERB_HELP) {
		options_help(&verb->command, stdout);
		r = 0;
	}
	if (r < 0) {
		ctr_complain(verb, &err);
		return verb->failure ? verb->failure : 1;
	}
	if (fflush(stdout) == EOF && errno != EPIPE) {
		err_set(&err, errno, "write output");
		ctr_complain(verb, &err);
		return verb->failure ? verb->failure : 1;
	}
	return r;
}

int ctr_for_names(const struct verb *verb, const struct ctr *ctr, char **names,
		  int (*fn)(struct engine *engine, const char *name, void *data, struct err *err),
		  void *data, struct err *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	int r = ctr_open(ctr, &engine, err), status = 0;

	if (r < 0)
		return r;
	for (; *names; names++) {
		struct err one = { 0 };

		if (fn(engine, *names, data, &one) < 0) {
			ctr_complain(verb, &one);
			status = verb->failure ? verb->failure : 1;
		}
	}
	return status;
}
