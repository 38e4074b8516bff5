/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that act on one container, or, with --regex, on all whose ids match. */
#pragma once

#include "runtime/container.h"

/*
 * Calls fn for each container below root whose id matches an extended regular expression (regex(7))
 * somewhere. Goes on after a failure and reports the first. No match is no failure.
 */
int match_each(const char *root, const char *expression,
	       int (*fn)(void *data, struct container *container, struct err *err), void *data,
	       struct err *err);
