/* SPDX-License-Identifier: Apache-2.0 */
/* The object "net" of meta.json: what else there is to say of a container's network. */
#pragma once

#include "base/arena.h"
#include "base/json.h"

struct meta_network {
	const char *address6, *gateway6; /* "fd00::a4d:2/64", or NULL */
	const char *mac;		 /* or NULL */
	const char *const *aliases;	 /* NULL-terminated, or NULL */
	const char *joined;		 /* id of the container whose network it shares, or NULL */
};

/* The field with its key, inside of an open object. Nothing where there is nothing to say. */
void meta_network_format(struct json_writer *w, const struct meta_network *net);

/* From the root; 0 also where there is no such field. */
int meta_network_read(const struct json_node *root, struct arena *arena, struct meta_network *ret,
		      struct err *err);
