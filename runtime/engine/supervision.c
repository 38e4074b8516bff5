/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/supervision.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {
	[SHIM_RESTART_NO] = "no",
	[SHIM_RESTART_ON_FAILURE] = "on-failure",
	[SHIM_RESTART_ALWAYS] = "always",
	[SHIM_RESTART_UNLESS_STOPPED] = "unless-stopped",
};

static int parse_max(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || n < 1 || n > INT_MAX)
		return -EINVAL;
	*ret = (unsigned)n;
	return 0;
}

int supervision_parse_restart(const char *text, struct engine_supervision *ret, struct err *err)
{
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unsigned max = 0;

		if (strlen(names[i]) != len || strncmp(text, names[i], len) != 0)
			continue;
		if (text[len] &&
		    (i != SHIM_RESTART_ON_FAILURE || parse_max(text + len + 1, &max) < 0))
			break;
		ret->policy.restart = (enum shim_restart)i;
		ret->policy.restart_max = max;
		return 0;
	}
	return err_say(
		err, EINVAL,
		"\"%s\" is no policy; there are no, on-failure, on-failure:NUMBER, always and "
		"unless-stopped",
		text);
}

const char *supervision_format_restart(const struct engine_supervision *supervision,
				       struct arena *arena)
{
	const struct shim_policy *policy = &supervision->policy;

	if (policy->restart == SHIM_RESTART_NO)
		return NULL;
	return policy->restart_max
		       ? arena_printf(arena, "%s:%u", names[policy->restart], policy->restart_max)
		       : arena_strdup(arena, names[policy->restart]);
}
