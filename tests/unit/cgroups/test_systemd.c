/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is asked for: names, properties and the documents between runtime and helper. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "cgroups/systemd_request.h"
#include "cgroups/systemd_unit.h"

static void assert_unit(const char *path, bool user, const char *slice, const char *name)
{
	struct systemd_unit unit;
	struct err err = { 0 };

	if (systemd_unit_parse(path, "web", user, &unit, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	assert_string_equal(unit.slice, slice);
	assert_string_equal(unit.name, name);
}

static void names_are_those_that_callers_expect(void **state)
{
	(void)state;
	assert_unit(NULL, false, "system.slice", "cellar-web.scope");
	assert_unit("", true, "user.slice", "cellar-web.scope");
	assert_unit("system.slice:docker:0a1", false, "system.slice", "docker-0a1.scope");
	assert_unit("kubepods-besteffort-pod1.slice:cri-containerd:x", false,
		    "kubepods-besteffort-pod1.slice", "cri-containerd-x.scope");
	assert_unit("-.slice:a:b", false, "-.slice", "a-b.scope");
	assert_unit("a.slice::a-b.slice", false, "a.slice", "a-b.slice");
	assert_unit("a.slice::b", false, "a.slice", "-b.scope");
	assert_unit(":a:b", false, "system.slice", "a-b.scope");
}

static void names_that_systemd_would_not_take_are_refused(void **state)
{
	static const char *const bad[] = {
		"/cellar/web",	 "name",	 "a.slice:b",	   "a.slice:b:",
		"a.slice:b:c:d", "a:b:c",	 ".slice:b:c",	   "a--b.slice:c:d",
		"-a.slice:b:c",	 "a-.slice:b:c", "../a.slice:b:c", "a.slice:b:c/d",
		"a.slice:b:c d",
	};
	char longest[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct systemd_unit unit;
		struct err err = { 0 };

		if (systemd_unit_parse(bad[i], "web", false, &unit, &err) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_non_null(strstr(err.text, "linux.cgroupsPath"));
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "a.slice:b:", 10);
	assert_int_equal(
		systemd_unit_parse(longest, "web", false, &(struct systemd_unit){ 0 }, NULL),
		-EINVAL);
}

/* "Name type value value; ..." */
static char *print(const struct systemd_properties *list)
{
	struct strbuf text = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const struct systemd_property *p = &list->list[i];

		strbuf_addf(&text, "%s%s %s", i ? "; " : "", p->name, p->type);
		for (size_t k = 0; k < p->count; k++)
			strbuf_addf(&text, " %s", p->values[k]);
	}
	return strbuf_take(&text);
}

static void a_path_that_begins_with_a_slice_is_meant_for_systemd(void **state)
{
	(void)state;
	assert_true(systemd_unit_is_meant("kubepods-pod1.slice:cri-containerd:4f"));
	assert_true(systemd_unit_is_meant("a.slice::b.slice"));
	assert_false(systemd_unit_is_meant(NULL));
	assert_false(systemd_unit_is_meant(""));
	assert_false(systemd_unit_is_meant("/k8s.io/4f"));
	assert_false(systemd_unit_is_meant(".slice:cri:4f"));
	assert_false(systemd_unit_is_meant("a.slice:4f"));
	assert_false(systemd_unit_is_meant("/a.slice:b:c"));
	assert_false(systemd_unit_is_meant("/x/a.slice/b:c:d"));
	assert_false(systemd_unit_is_meant("system:b:c"));
}

static void assert_limits(const char *json, bool v2, const struct systemd_now *now,
			  const char *wanted)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_properties list = { .arena = arena };
	struct oci_resources res = { 0 };
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };

	if (oci_resources_parse(json, strlen(json), arena, &res, &err) < 0 ||
	    systemd_properties_of_limits(&res, v2, now, &list, &err) < 0)
		fail_msg("%s: %s", json, err.text);
	text = print(&list);
	assert_string_equal(text, wanted);
}

static void limits_are_in_the_words_of_each_version(void **state)
{
	(void)state;
	assert_limits("{}", true, NULL, "");
	assert_limits("{\"memory\":{\"limit\":100,\"swap\":150,\"reservation\":50}}", true, NULL,
		      "MemoryMax t 100; MemoryLow t 50; MemorySwapMax t 50");
	assert_limits("{\"memory\":{\"limit\":100,\"swap\":150,\"reservation\":50}}", false, NULL,
		      "MemoryLimit t 100");
	assert_limits("{\"pids\":{\"limit\":-1}}", true, NULL, "TasksMax t 18446744073709551615");
	assert_limits("{\"pids\":{\"limit\":0}}", true, NULL, "");
	assert_limits("{\"cpu\":{\"shares\":1024}}", true, NULL, "CPUWeight t 100");
	assert_limits("{\"cpu\":{\"shares\":1024}}", false, NULL, "CPUShares t 1024");
	assert_limits("{\"cpu\":{\"shares\":1024,\"idle\":1}}", true, NULL, "CPUWeight t 0");
	assert_limits("{\"blockIO\":{\"weight\":10}}", true, NULL, "IOWeight t 1");
	assert_limits("{\"blockIO\":{\"weight\":10}}", false, NULL, "BlockIOWeight t 10");
	assert_limits("{\"cpu\":{\"cpus\":\"0-3,9\",\"mems\":\"1\"}}", true, NULL,
		      "AllowedCPUs ay 15 2; AllowedMemoryNodes ay 2");
	assert_limits("{\"cpu\":{\"cpus\":\"0-3\"}}", false, NULL, "AllowedCPUs ay 15");
	assert_limits(
		"{\"unified\":{\"memory.high\":\"5\",\"pids.max\":\"max\",\"memory.oom.group\":\"1\"}}",
		true, NULL, "MemoryHigh t 5; TasksMax t 18446744073709551615");
	assert_limits("{\"unified\":{\"cpu.max\":\"50000 100000\"}}", true, NULL,
		      "CPUQuotaPerSecUSec t 500000");
}

static void a_quota_is_rounded_up_to_a_percent(void **state)
{
	struct systemd_now now = { .cpu_quota_us = 20000, .cpu_period_us = 100000 };

	(void)state;
	assert_limits("{\"cpu\":{\"quota\":25000,\"period\":50000}}", true, NULL,
		      "CPUQuotaPerSecUSec t 500000; CPUQuotaPeriodUSec t 50000");
	assert_limits("{\"cpu\":{\"quota\":12345}}", true, NULL, "CPUQuotaPerSecUSec t 130000");
	assert_limits("{\"cpu\":{\"quota\":-1}}", true, NULL,
		      "CPUQuotaPerSecUSec t 18446744073709551615");
	assert_limits("{\"cpu\":{\"period\":200000}}", true, &now,
		      "CPUQuotaPerSecUSec t 100000; CPUQuotaPeriodUSec t 200000");
	/* The unit may have another one, which the default is to replace. */
	assert_limits("{\"cpu\":{\"period\":100000}}", true, &now,
		      "CPUQuotaPerSecUSec t 200000; CPUQuotaPeriodUSec t 100000");
}

static void swap_of_an_update_counts_from_the_limit_there_is(void **state)
{
	struct systemd_now now = { .memory_limit_bytes = 100, .cpu_quota_us = -1 };

	(void)state;
	assert_limits("{\"memory\":{\"swap\":250}}", true, &now, "MemorySwapMax t 150");
	assert_limits("{\"memory\":{\"limit\":-1}}", true, &now,
		      "MemoryMax t 18446744073709551615; MemorySwapMax t 18446744073709551615");
}

static void a_scope_is_delegated_and_a_slice_is_not(void **state)
{
	struct systemd_unit scope = { "a.slice", "b-c.scope" }, slice = { "a.slice", "a-b.slice" };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_properties one = { .arena = arena }, two = { .arena = arena };
	_cleanup_free_ char *a = NULL, *b = NULL;

	(void)state;
	assert_int_equal(systemd_properties_of_unit(&scope, "c", true, &one, NULL), 0);
	assert_int_equal(systemd_properties_of_unit(&slice, "c", false, &two, NULL), 0);
	a = print(&one);
	b = print(&two);
	assert_string_equal(a,
			    "Description s cellar container c; Slice s a.slice; Delegate b true; "
			    "CollectMode s inactive-or-failed; DefaultDependencies b false; "
			    "MemoryAccounting b true; CPUAccounting b true; IOAccounting b true; "
			    "TasksAccounting b true");
	assert_non_null(strstr(b, "Wants as a.slice"));
	assert_null(strstr(b, "Delegate"));
	assert_non_null(strstr(b, "BlockIOAccounting"));
}

static void devices_are_listed_for_v1(void **state)
{
	static const char json[] =
		"{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\"}]}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_properties list = { .arena = arena };
	struct oci_resources res = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_true(oci_resources_parse(json, strlen(json), arena, &res, NULL) >= 0);
	assert_int_equal(systemd_properties_of_devices(&res, &list, NULL), 0);
	text = print(&list);
	assert_non_null(strstr(text, "DevicePolicy s strict; DeviceAllow a(ss)"));
	assert_non_null(strstr(text, " /dev/char/10:229 rw"));
	assert_non_null(strstr(text, " /dev/char/1:3 rw"));
	assert_non_null(strstr(text, " char-136 rw"));
	assert_non_null(strstr(text, " block-* m"));
}

/* NULL: refused. */
static void assert_annotation(const char *name, const char *value, const char *wanted)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_properties list = { .arena = arena };
	char key[128];
	struct oci_annotation a = { .key = key, .value = value };
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };
	int r;

	snprintf(key, sizeof(key), "org.systemd.property.%s", name);
	r = systemd_properties_of_annotations(&a, 1, &list, &err);
	if (!wanted) {
		if (r != -EINVAL)
			fail_msg("%s was taken", value);
		assert_non_null(strstr(err.text, key));
		return;
	}
	if (r < 0)
		fail_msg("%s", err.text);
	text = print(&list);
	assert_string_equal(text, wanted);
}

static void annotations_are_values_of_gvariant(void **state)
{
	(void)state;
	assert_annotation("A", "true", "A b true");
	assert_annotation("A", "5", "A i 5");
	assert_annotation("A", "-5", "A i -5");
	assert_annotation("A", "uint64 5", "A t 5");
	assert_annotation("A", " uint32 0x10 ", "A u 0x10");
	assert_annotation("A", "1.5", "A d 1.5");
	assert_annotation("A", "'a b'", "A s a b");
	assert_annotation("A", "\"it's\"", "A s it's");
	assert_annotation("A", "'a\\'b'", "A s a'b");
	assert_annotation("A", "['a', \"b\"]", "A as a b");
	assert_annotation("A", "@as []", "A as");
	assert_annotation("A", "objectpath '/a'", "A o /a");
	assert_annotation("TimeoutStopSec", "7", "TimeoutStopUSec t 7000000");
	assert_annotation("TimeoutStopSec", "1.5", "TimeoutStopUSec t 1500000");
	assert_annotation("TimeoutStopUSec", "uint64 7", "TimeoutStopUSec t 7");
	assert_annotation("Sec", "7", "Sec i 7");
}

static void annotations_that_are_no_value_are_refused(void **state)
{
	static const char *const bad[] = { "",	     "x",	   "truex",	"'a",
					   "5 5",    "[5]",	   "['a'",	"['a',,",
					   "uint64", "uint64 'a'", "string 5",	"[",
					   "1e999",  "--5",	   "boolean 1", "int32 ['a']" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_annotation("A", bad[i], NULL);
	assert_annotation("", "5", NULL);
	assert_annotation("A.B", "5", NULL);
	assert_annotation("TimeoutSec", "-1", NULL);
}

static void requests_come_through_whole(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *values[] = { "a \"b\"\n", "c" };
	struct systemd_property property = { "Name", "as", values, 2, 244 };
	struct systemd_request request = { SYSTEMD_SET, true, "x.scope", 12, &property, 1 }, got;
	_cleanup_free_ char *text = NULL;
	size_t len;

	(void)state;
	text = systemd_request_format(&request, &len);
	assert_int_equal(systemd_request_parse(text, len, arena, &got, NULL), 0);
	assert_int_equal(got.verb, SYSTEMD_SET);
	assert_true(got.user && got.pid == 12 && got.properties_count == 1);
	assert_string_equal(got.unit, "x.scope");
	assert_string_equal(got.properties[0].values[0], values[0]);
	assert_string_equal(got.properties[0].values[1], "c");
	assert_int_equal(got.properties[0].count, 2);
	assert_int_equal(got.properties[0].since, 244);
}

static void requests_of_another_kind_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"verb\":\"start\",\"unit\":\"a\"}",
		"{\"version\":2,\"verb\":\"start\",\"unit\":\"a\"}",
		"{\"version\":1,\"verb\":\"reboot\",\"unit\":\"a\"}",
		"{\"version\":1,\"verb\":\"stop\"}",
		"{\"version\":1,\"verb\":\"stop\",\"unit\":\"a\",\"properties\":[{\"name\":\"x\"}]}",
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_request got;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(systemd_request_parse(bad[i], strlen(bad[i]), arena, &got, NULL) < 0);
}

static void an_error_in_the_answer_is_ours(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct err said = { 0 }, err = { 0 };
	_cleanup_free_ char *good = NULL, *bad = NULL;
	const char *cgroup = NULL;
	size_t len;

	(void)state;
	good = systemd_answer_format("/a/b", &err, &len);
	assert_int_equal(systemd_answer_parse(good, len, arena, &cgroup, &err), 0);
	assert_string_equal(cgroup, "/a/b");
	err_say(&said, EBUSY, "it is \"busy\"");
	bad = systemd_answer_format(NULL, &said, &len);
	assert_int_equal(systemd_answer_parse(bad, len, arena, &cgroup, &err), -EBUSY);
	assert_string_equal(err.text, said.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_begins_with_a_slice_is_meant_for_systemd),
		cmocka_unit_test(names_are_those_that_callers_expect),
		cmocka_unit_test(names_that_systemd_would_not_take_are_refused),
		cmocka_unit_test(limits_are_in_the_words_of_each_version),
		cmocka_unit_test(a_quota_is_rounded_up_to_a_percent),
		cmocka_unit_test(swap_of_an_update_counts_from_the_limit_there_is),
		cmocka_unit_test(a_scope_is_delegated_and_a_slice_is_not),
		cmocka_unit_test(devices_are_listed_for_v1),
		cmocka_unit_test(annotations_are_values_of_gvariant),
		cmocka_unit_test(annotations_that_are_no_value_are_refused),
		cmocka_unit_test(requests_come_through_whole),
		cmocka_unit_test(requests_of_another_kind_are_refused),
		cmocka_unit_test(an_error_in_the_answer_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
