/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of options as TOML (toml.io, v1.0.0), as far as one needs it: `key = value` by lines, a
 * value being true or false, a number without fraction, or a string of one line; comments. Tables,
 * lists, dates and fractions are refused by line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct toml_value {
	enum { TOML_BOOLEAN, TOML_NUMBER, TOML_STRING } type;
	bool boolean;
	int64_t number;
	const char *string; /* without a NUL in it */
};

/* value lives for the call. <0 with err: ends it. */
typedef int (*toml_fn)(void *data, const char *key, const struct toml_value *value,
		       struct err *err);

/* -EINVAL with the line that is wrong. */
int toml_each(const char *text, size_t len, toml_fn fn, void *data, struct err *err);
