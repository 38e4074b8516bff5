/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes, its description, and how often somebody may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/api/rate.h"
#include "scheduler/api/routes.h"

#define MS INT64_C(1000000)

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

static void test_every_route_is_described_and_no_other(void **state)
{
	char list[100][200];
	size_t count = described(list, 100), routed = 0;

	(void)state;
	for (const struct route *route = routes; route->method; route++, routed++) {
		char name[200];
		size_t i = 0;

		snprintf(name, sizeof(name), "%s %s", route->method, route->path);
		while (i < count && strcmp(list[i], name) != 0)
			i++;
		if (i == count)
			fail_msg("docs/openapi.yaml does not have %s", name);
	}
	for (size_t i = 0; i < count; i++) {
		char name[200];
		const struct route *route = routes;

		for (; route->method; route++) {
			snprintf(name, sizeof(name), "%s %s", route->method, route->path);
			if (strcmp(list[i], name) == 0)
				break;
		}
		if (!route->method)
			fail_msg("there is no route for %s", list[i]);
	}
	assert_int_equal(count, routed);
}

static bool fits(const char *path, const char *asked, char name[static ROUTE_NAME_SIZE])
{
	struct route route = { "GET", path, NULL };

	return route_matches(&route, asked, name);
}

static void test_a_name_is_one_part_of_a_path(void **state)
{
	char name[ROUTE_NAME_SIZE], path[400] = "/v1/jobs/";

	(void)state;
	assert_true(fits("/v1/jobs/{job}", "/v1/jobs/web", name));
	assert_string_equal(name, "web");
	assert_true(fits("/v1/jobs/{job}/scale", "/v1/jobs/web/scale", name));
	assert_string_equal(name, "web");
	assert_true(fits("/v1/jobs", "/v1/jobs", name));
	assert_string_equal(name, "");
	assert_false(fits("/v1/jobs/{job}", "/v1/jobs/", name));
	assert_false(fits("/v1/jobs/{job}", "/v1/jobs/web/", name));
	assert_false(fits("/v1/jobs/{job}", "/v1/jobs/web/scale", name));
	assert_false(fits("/v1/jobs/{job}/scale", "/v1/jobs/web", name));
	assert_false(fits("/v1/jobs", "/v1/jobs/", name));
	assert_false(fits("/v1/jobs", "/v1/job", name));
	memset(path + 9, 'a', 300);
	assert_false(fits("/v1/jobs/{job}", path, name));
}

static void test_a_caller_has_a_rate_of_its_own(void **state)
{
	static struct rate rate;
	int64_t now = 1000 * MS;
	int n = 0;

	(void)state;
	while (rate_take(&rate, 1, now))
		n++;
	assert_int_equal(n, RATE_BURST);
	assert_true(rate_take(&rate, 2, now));
	assert_false(rate_take(&rate, 1, now + MS));
	for (n = 0; rate_take(&rate, 1, now + 101 * MS); n++)
		;
	assert_in_range(n, RATE_PER_S / 10 - 1, RATE_PER_S / 10 + 1);
	for (n = 0; rate_take(&rate, 1, now + 1000000 * MS); n++)
		;
	assert_int_equal(n, RATE_BURST);
}

static void test_many_callers_share_the_buckets(void **state)
{
	static struct rate rate;

	(void)state;
	for (int i = 0; i < RATE_BUCKETS * 10; i++)
		assert_true(rate_take(&rate, (uint64_t)i, (i + 1) * MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_is_described_and_no_other),
		cmocka_unit_test(test_a_name_is_one_part_of_a_path),
		cmocka_unit_test(test_a_caller_has_a_rate_of_its_own),
		cmocka_unit_test(test_many_callers_share_the_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
