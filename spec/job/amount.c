/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/job/amount.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define AMOUNT_LIMIT ((int64_t)1 << 52) /* what the placement core can add up exactly */

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit milli_units[] = { { "", 1000 }, { "m", 1 }, { NULL, 0 } };

static const struct unit byte_units[] = {
	{ "", 1 },	     { "k", 1000 },	     { "M", 1000000 },
	{ "G", 1000000000 }, { "T", 1000000000000 }, { "Ki", 1024 },
	{ "Mi", 1 << 20 },   { "Gi", 1 << 30 },	     { "Ti", (int64_t)1 << 40 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ms", 1 },	  { "s", 1000 },     { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
};

/* "12.345Mi": whole and fraction by integers, since floats would round what people wrote. */
static int parse(const char *text, const struct unit *units, int64_t *ret)
{
	int64_t whole = 0, fraction = 0, scale = 1;
	const char *c = text;

	if (!isdigit((unsigned char)*c))
		return -EINVAL;
	for (; isdigit((unsigned char)*c); c++) {
		whole = whole * 10 + (*c - '0');
		if (whole > AMOUNT_LIMIT)
			return -EINVAL;
	}
	if (*c == '.') {
		if (!isdigit((unsigned char)*++c))
			return -EINVAL;
		for (; isdigit((unsigned char)*c); c++) {
			if (scale >= 100000)
				return -EINVAL;
			fraction = fraction * 10 + (*c - '0');
			scale *= 10;
		}
	}
	for (; units->name; units++)
		if (strcmp(c, units->name) == 0)
			break;
	if (!units->name || whole > AMOUNT_LIMIT / units->factor)
		return -EINVAL;
	/* Parts of a byte or a millicore cannot be had: what is left over goes, unless it is all.
	 */
	*ret = whole * units->factor + fraction * units->factor / scale;
	return *ret == 0 && fraction > 0 ? -EINVAL : 0;
}

int amount_parse_milli(const char *text, int64_t *ret)
{
	return parse(text, milli_units, ret);
}

int amount_parse_bytes(const char *text, int64_t *ret)
{
	return parse(text, byte_units, ret);
}

int amount_parse_ms(const char *text, int64_t *ret)
{
	if (strcmp(text, "0") == 0) {
		*ret = 0;
		return 0;
	}
	return parse(text, time_units, ret);
}
