/* SPDX-License-Identifier: Apache-2.0 */
/* All that a master answers stands in docs/openapi.yaml, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/api/routes.h"
#include "scheduler/link/joining.h"
#include "scheduler/link/server.h"

/* "GET /v1/jobs" of each operation that docs/openapi.yaml has: paths stand two spaces in, methods
 * four. */
static size_t described(char ret[][200], size_t most)
{
	static const char *const methods[] = { "get", "post", "put", "patch", "delete" };
	size_t len, count = 0;
	const char *text = route_openapi(&len), *end = text + len;
	char path[160] = "";

	for (const char *line = text; line < end;
	     line = (const char *)memchr(line, 10, (size_t)(end - line)) + 1) {
		size_t n = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line);

		if (n > 4 && strncmp(line, "  /", 3) == 0 && line[n - 1] == ':')
			snprintf(path, sizeof(path), "%.*s", (int)n - 3, line + 2);
		if (n && line[0] != ' ')
			*path = '\0';
		for (size_t m = 0; *path && m < sizeof(methods) / sizeof(*methods); m++) {
			size_t size = strlen(methods[m]);

			if (n != size + 5 || strncmp(line, "    ", 4) != 0 ||
			    strncmp(line + 4, methods[m], size) != 0 || line[n - 1] != ':')
				continue;
			assert_true(count < most);
			snprintf(ret[count], 200, "%s %s", methods[m], path);
			for (char *c = ret[count++]; *c != ' '; c++)
				*c = (char)(*c - 'a' + 'A');
		}
	}
	return count;
}

/* "GET /v1/jobs" of each that is served: the API's, and those that come before it. */
static size_t served(char ret[][200], size_t most)
{
	struct link_joining_route joining;
	size_t count = 0;

	for (const struct route *route = routes; route->method && count < most; route++)
		snprintf(ret[count++], 200, "%s %s", route->method, route->path);
	for (size_t i = 0; link_joining_route(i, &joining) && count < most; i++)
		snprintf(ret[count++], 200, "%s %s", joining.method, joining.path);
	snprintf(ret[count++], 200, "POST %s", LINK_SYNC_PATH);
	return count;
}

static bool has(char list[][200], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static void test_every_route_is_described_and_no_other(void **state)
{
	static char told[150][200], there[150][200];
	size_t told_count = described(told, 150), there_count = served(there, 149);

	(void)state;
	for (size_t i = 0; i < there_count; i++)
		if (!has(told, told_count, there[i]))
			fail_msg("docs/openapi.yaml does not have %s", there[i]);
	for (size_t i = 0; i < told_count; i++)
		if (!has(there, there_count, told[i]))
			fail_msg("there is no route for %s", told[i]);
	assert_int_equal(told_count, there_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_is_described_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
