/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: spec */
/*
 * config.json: whatever parses is written back equal as JSON; and what we know of it alone is
 * written and parses again, to the same text.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_merge.h"
#include "base/log.h"
#include "spec/oci_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing of what was read is lost. A string with a NUL in it is cut by the JSON library. */
static void check_whole(const char *text, size_t len, const struct oci_config *c)
{
	_cleanup_json_ struct json_doc *a = NULL, *b = NULL;
	_cleanup_free_ char *back = NULL;
	struct json_node x, y;

	if (memmem(text, len, "\\u0000", 6) || oci_config_format(c, &back, NULL, NULL) < 0)
		return;
	assert(json_parse(text, len, &a, NULL) == 0);
	assert(json_parse(back, strlen(back), &b, NULL) == 0);
	x = json_root(a);
	y = json_root(b);
	assert(json_equal(&x, &y));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_oci_config_ struct oci_config *c = NULL, *again = NULL;
	_cleanup_free_ char *one = NULL, *two = NULL;
	struct err err = { 0 };

	log_set_level(LOG_LEVEL_ERROR);
	if (oci_config_parse((const char *)data, size, &c, &err) < 0) {
		assert(err.code && err.text[0]);
		return 0;
	}
	check_whole((const char *)data, size, c);
	c->source.json = NULL;
	/* Strings that are no UTF-8 cannot be written; yajl says so. */
	if (oci_config_format(c, &one, NULL, &err) < 0)
		return 0;
	assert(oci_config_parse(one, strlen(one), &again, &err) == 0);
	again->source.json = NULL;
	assert(oci_config_format(again, &two, NULL, &err) == 0);
	assert(strcmp(one, two) == 0);
	return 0;
}
