/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers in integers, so that 0.1 is what it says. */
#include "runtime/engine/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * Reads DIGITS[.DIGITS] as thousandths; what is finer is cut off. Returns where it ended, NULL
 * where there is no number or it is beyond 10^15.
 */
static const char *parse_thousandths(const char *text, int64_t *ret)
{
	const char *p = text;
	int64_t n = 0;
	int digits = 0;

	for (; isdigit((unsigned char)*p); p++, digits++) {
		n = n * 10 + (*p - '0');
		if (n > INT64_C(1000000000000000))
			return NULL;
	}
	n *= 1000;
	if (*p == '.') {
		int64_t weight = 100;

		for (p++; isdigit((unsigned char)*p); p++, digits++, weight /= 10)
			n += (*p - '0') * weight;
	}
	if (!digits)
		return NULL;
	*ret = n;
	return p;
}

static int shift_of_suffix(const char *suffix, bool fraction)
{
	static const char units[] = "bkmgt";
	const char *unit = suffix[0] ? strchr(units, tolower((unsigned char)suffix[0])) : units;

	if (!unit || (fraction && unit == units))
		return -1;
	if (suffix[0] && suffix[1] &&
	    (unit == units ||
	     (strcasecmp(suffix + 1, "b") != 0 && strcasecmp(suffix + 1, "ib") != 0)))
		return -1;
	return 10 * (int)(unit - units);
}

int quantity_parse_bytes(const char *text, int64_t *ret_bytes, struct err *err)
{
	int64_t thousandths = 0, bytes;
	const char *suffix = parse_thousandths(text, &thousandths);
	int shift = suffix ? shift_of_suffix(suffix, strchr(text, '.')) : -1;
	__int128 n;

	if (shift < 0)
		return err_say(err, EINVAL, "\"%s\" is not a size; write it as 64m, 512k or 1.5g",
			       text);
	n = ((__int128)thousandths << shift) / 1000;
	if (n < 1 || n > INT64_MAX / 4)
		return err_say(err, EINVAL, "\"%s\" is not a possible size", text);
	bytes = (int64_t)n;
	*ret_bytes = bytes;
	return 0;
}

int quantity_parse_cpus(const char *text, int64_t *ret_millicpu, struct err *err)
{
	int64_t n = 0;
	const char *end = parse_thousandths(text, &n);

	if (!end || *end)
		return err_say(err, EINVAL,
			       "\"%s\" is not a number of processors; write it as 0.5 or 2", text);
	if (n < 10 || n > 100000000)
		return err_say(err, EINVAL, "\"%s\" is not from 0.01 to 100000 processors", text);
	*ret_millicpu = n;
	return 0;
}

char *quantity_format_bytes(uint64_t bytes, char buf[static QUANTITY_TEXT_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned unit = 0;
	uint64_t rest = 0; /* of 1024ths */

	while (bytes >= 1024 && unit < 5) {
		rest = bytes % 1024;
		bytes /= 1024;
		unit++;
	}
	if (rest * 10 / 1024 && bytes < 100)
		snprintf(buf, QUANTITY_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " %s", bytes,
			 rest * 10 / 1024, units[unit]);
	else
		snprintf(buf, QUANTITY_TEXT_SIZE, "%" PRIu64 " %s", bytes, units[unit]);
	return buf;
}
