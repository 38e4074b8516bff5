/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and annotations: lists of keys with values, in which a key occurs once. */
#pragma once

#include <stddef.h>

#include "base/json.h"
#include "spec/oci_config.h"

struct labels {
	const struct oci_annotation *items; /* in the arena that they were made with */
	size_t count;
};

/* "KEY=VALUE", or "KEY", whose value is empty. -EINVAL without a key. */
int labels_parse_word(const char *text, struct arena *arena, struct oci_annotation *ret,
		      struct err *err);

/* Both, where those of over replace those of under; a key twice in one list counts as the last. */
int labels_merge(const struct labels *under, const struct labels *over, struct arena *arena,
		 struct labels *ret, struct err *err);

/* As an object of the key; left out when there are none. */
void labels_format(struct json_writer *w, const char *key, const struct labels *labels);
int labels_parse(const struct json_node *root, const char *key, struct arena *arena,
		 struct labels *ret, struct err *err);
