/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: spec */
/* config.json: whatever parses must be written and parse again, to the same text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "spec/oci_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	/* Strings that are no UTF-8 cannot be written; yajl says so. */
	if (oci_config_format(c, &one, NULL, &err) < 0)
		return 0;
	assert(oci_config_parse(one, strlen(one), &again, &err) == 0);
	assert(oci_config_format(again, &two, NULL, &err) == 0);
	assert(strcmp(one, two) == 0);
	return 0;
}
