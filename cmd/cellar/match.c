/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/match.h"

#include <errno.h>
#include <regex.h>

struct match {
	regex_t regex;
	int (*fn)(void *data, struct container *container, struct err *err);
	void *data;
	int failure; /* the first, or 0 */
	struct err *err;
};

static int visit(void *data, struct container *c)
{
	struct match *m = data;
	struct err err = { 0 };
	int r;

	if (regexec(&m->regex, container_id(c), 0, NULL, 0) != 0)
		return 0;
	r = m->fn(m->data, c, &err);
	if (r < 0 && !m->failure) {
		m->failure = r;
		*m->err = err;
	}
	return 0;
}

int match_each(const char *root, const char *expression,
	       int (*fn)(void *data, struct container *container, struct err *err), void *data,
	       struct err *err)
{
	struct match m = { .fn = fn, .data = data, .err = err };
	char why[128];
	int r = regcomp(&m.regex, expression, REG_EXTENDED | REG_NOSUB);

	if (r != 0) {
		regerror(r, &m.regex, why, sizeof(why));
		return err_say(err, EINVAL, "--regex: '%s': %s", expression, why);
	}
	r = container_each(root, visit, &m, err);
	regfree(&m.regex);
	return r < 0 ? r : m.failure;
}
