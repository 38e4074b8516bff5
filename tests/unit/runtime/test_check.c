/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/check.h"

/* A document with everything that a container needs, and one thing more. */
static int check(const char *process, const char *top, const char *namespaces, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	char text[2048];
	int len = snprintf(text, sizeof(text),
			   "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{%s},%s"
			   "\"linux\":{\"namespaces\":[%s]}}",
			   process, top, namespaces);

	if (oci_config_parse(text, (size_t)len, &config, err) < 0)
		return -1;
	return check_config(config, err);
}

#define PROCESS "\"args\":[\"sh\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}"
#define MOUNT "{\"type\":\"mount\"}"

static void the_smallest_document_passes(void **state)
{
	(void)state;
	assert_int_equal(check(PROCESS, "", MOUNT, NULL), 0);
	assert_int_equal(check(PROCESS, "\"hostname\":\"h\",", MOUNT ",{\"type\":\"uts\"}", NULL),
			 0);
}

static void what_does_not_fit_together_is_named(void **state)
{
	static const struct {
		const char *process, *top, *namespaces, *text;
	} cases[] = {
		{ "\"args\":[],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}", "", MOUNT,
		  "process.args: args must not be empty" },
		{ "\"args\":[\"\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}", "", MOUNT,
		  "process.args[0]: exec: \"\": executable file not found" },
		{ PROCESS
		  ",\"capabilities\":{\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_CHOWN\"]}",
		  "", MOUNT,
		  "process.capabilities.effective: CAP_KILL is not among the permitted ones" },
		{ PROCESS, "\"hostname\":\"h\",", MOUNT, "hostname: needs a uts namespace" },
		{ PROCESS, "\"domainname\":\"h\",", MOUNT, "domainname: needs a uts namespace" },
		{ PROCESS, "", "{\"type\":\"uts\"}",
		  "linux.namespaces: a mount namespace is missing" },
		{ PROCESS, "", MOUNT ",{\"type\":\"user\"}", "linux.uidMappings: missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		assert_true(check(cases[i].process, cases[i].top, cases[i].namespaces, &err) < 0);
		assert_memory_equal(err.text, cases[i].text, strlen(cases[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_document_passes),
		cmocka_unit_test(what_does_not_fit_together_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
