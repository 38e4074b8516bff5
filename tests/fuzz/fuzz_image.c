/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: spec */
/*
 * Image documents, features and state: the first byte chooses which; whatever parses is written
 * back equal as JSON.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_merge.h"
#include "spec/oci_features.h"
#include "spec/oci_image.h"
#include "spec/oci_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0 with what came back, or <0. */
static int through(int which, const char *text, size_t len, struct arena *arena, char **ret,
		   struct err *err)
{
	struct oci_index index;
	struct oci_manifest manifest;
	struct oci_image image;
	struct oci_features features;
	struct oci_state state;

	switch (which) {
	case 0:
		err_try(oci_index_parse(text, len, arena, &index, err));
		return oci_index_format(&index, ret, NULL, NULL);
	case 1:
		err_try(oci_manifest_parse(text, len, arena, &manifest, err));
		return oci_manifest_format(&manifest, ret, NULL, NULL);
	case 2:
		err_try(oci_image_parse(text, len, arena, &image, err));
		return oci_image_format(&image, ret, NULL, NULL);
	case 3:
		err_try(oci_features_parse(text, len, arena, &features, err));
		return oci_features_format(&features, ret, NULL, NULL);
	default:
		err_try(oci_state_parse(text, len, arena, &state, err));
		return oci_state_format(&state, true, ret, NULL, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *a = NULL, *b = NULL;
	_cleanup_free_ char *back = NULL;
	struct json_node x, y;
	struct err err = { 0 };
	const char *text = (const char *)data + 1;
	int r;

	if (size < 2)
		return 0;
	r = through(data[0] % 5, text, size - 1, arena, &back, &err);
	if (r < 0) {
		/* Refused in words, or no UTF-8 that could be written. */
		assert(!err.code || err.text[0]);
		return 0;
	}
	/* A string with a NUL in it is cut by the JSON library. */
	if (memmem(text, size - 1, "\\u0000", 6))
		return 0;
	assert(json_parse(text, size - 1, &a, NULL) == 0);
	assert(json_parse(back, strlen(back), &b, NULL) == 0);
	x = json_root(a);
	y = json_root(b);
	assert(json_equal(&x, &y));
	return 0;
}
