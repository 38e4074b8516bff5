/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/moment.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define SECOND_NS 1e9
#define NS_MAX 9e18 /* some 285 years */

static const struct {
	const char *name;
	double ns;
} units[] = {
	/* "ms" before "m". */
	{ "ns", 1 },
	{ "us", 1e3 },
	{ "ms", 1e6 },
	{ "s", SECOND_NS },
	{ "m", 60 * SECOND_NS },
	{ "h", 3600 * SECOND_NS },
	{ "d", 24 * 3600 * SECOND_NS },
};

static bool parse_duration(const char *text, int64_t *ret_ns)
{
	double sum = 0;

	if (!*text)
		return false;
	while (*text) {
		size_t i = 0;
		char *end;
		double number = isdigit((unsigned char)*text) ? strtod(text, &end) : -1;

		if (number < 0)
			return false;
		while (i < ARRAY_SIZE(units) &&
		       strncmp(end, units[i].name, strlen(units[i].name)) != 0)
			i++;
		if (i == ARRAY_SIZE(units))
			return false;
		sum += number * units[i].ns;
		text = end + strlen(units[i].name);
	}
	if (!(sum < NS_MAX))
		return false;
	*ret_ns = (int64_t)sum;
	return true;
}

int moment_parse_duration(const char *text, int64_t *ret_ns, struct err *err)
{
	if (parse_duration(text, ret_ns))
		return 0;
	return err_say(err, EINVAL, "\"%s\" is not a duration; write it as 90s, 1h30m or 100ms",
		       text);
}

static bool parse_seconds(const char *text, int64_t *ret_ns)
{
	char *end;
	double number;

	if (!isdigit((unsigned char)*text))
		return false;
	number = strtod(text, &end);
	if (*end || !(number * SECOND_NS < NS_MAX))
		return false;
	*ret_ns = (int64_t)(number * SECOND_NS);
	return true;
}

/* Without a zone it is the person's own. */
static bool parse_local(const char *text, int64_t *ret_ns)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, formats[i], &tm);

		if (end && !*end) {
			*ret_ns = (int64_t)mktime(&tm) * 1000000000;
			return true;
		}
	}
	return false;
}

int moment_parse(const char *text, int64_t now_ns, int64_t *ret_ns, struct err *err)
{
	int64_t ns;

	if (parse_duration(text, &ns)) {
		*ret_ns = now_ns - ns;
		return 0;
	}
	if (parse_seconds(text, ret_ns) || clock_parse(text, ret_ns, NULL) == 0 ||
	    parse_local(text, ret_ns))
		return 0;
	return err_say(err, EINVAL,
		       "\"%s\" is not a time; write 2026-11-22T16:14:49Z, 2026-11-22, seconds "
		       "since 1970, or 10m for ten minutes ago",
		       text);
}
