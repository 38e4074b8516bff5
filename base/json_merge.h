/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document that was read, changed in a program's own terms, and written back without loss.
 *
 * A program reads `source` and keeps what it knows. `before` is what it would write of that alone,
 * `after` what it writes now that it has changed something. The merge is source with that change:
 *
 *	what is in source, not in before	unknown to the program: it stays
 *	before and after are equal		source's own spelling stays
 *	in before, not in after			the program has removed it
 *	else					after's value; objects and arrays by their parts
 *
 * An element of an array is recognized by what before has at its place, or anywhere.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"

bool json_equal(const struct json_node *a, const struct json_node *b); /* order of members aside */

/* The merge as text, owned by the caller. Fails where before or after is no JSON: our own fault. */
int json_merge(const char *source, const char *before, const char *after, bool pretty, char **ret,
	       size_t *ret_len, struct err *err);
