/* SPDX-License-Identifier: Apache-2.0 */
/* What the inspect verbs share: everything known of each thing named, as one array of JSON. */
#pragma once

#include "cmd/ctr/verbs.h"

/*
 * fn writes one element; its data is the struct json_writer. format: what --format says, of which
 * only "json" is taken. Returns the exit status: 1 when a name failed, which was complained of.
 */
int inspect_each(const struct verb *verb, const struct ctr *ctr, char **names, const char *format,
		 int (*fn)(struct engine *engine, const char *name, void *data, struct err *err),
		 struct err *err);
