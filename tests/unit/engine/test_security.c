/* SPDX-License-Identifier: Apache-2.0 */
/* What --device, --device-cgroup-rule and --security-opt take; seccomp profiles with conditions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "runtime/engine/seccomp_file.h"
#include "runtime/engine/security_words.h"

struct fixture {
	struct arena *arena;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .arena = arena_new() };
	*state = &f;
	return f.arena ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	return 0;
}

static void devices_are_read_as_docker_reads_them(void **state)
{
	static const struct {
		const char *text, *source, *target, *access;
	} good[] = {
		{ "/dev/a", "/dev/a", "/dev/a", "rwm" },
		{ "/dev/a:/dev/b", "/dev/a", "/dev/b", "rwm" },
		{ "/dev/a:r", "/dev/a", "/dev/a", "r" },
		{ "/dev/a:/dev/b:mw", "/dev/a", "/dev/b", "wm" },
	};
	static const char *const bad[] = {
		"",	    "a",	  "/dev/a:",   "/dev/a:x",
		"/dev/a:/", "/dev/a:b:r", "/dev/a:rr", "/dev/a:/dev/b:"
	};
	struct fixture *f = *state;
	char access[SECURITY_ACCESS_SIZE];
	struct engine_device d;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(security_parse_device(good[i].text, f->arena, &d, &f->err), 0);
		assert_string_equal(d.source, good[i].source);
		assert_string_equal(d.target, good[i].target);
		assert_string_equal(security_access(&d, access), good[i].access);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(security_parse_device(bad[i], f->arena, &d, &f->err), -EINVAL);
}

static void rules_are_read(void **state)
{
	static const char *const bad[] = { "",	       "c",	   "c 1:3",	      "c 1:3 ",
					   "x 1:3 r",  "c 1 r",	   "c :3 r",	      "c 1: r",
					   "c -1:3 r", "c 1:3 rx", "a 1:3 r",	      "c  1:3 r",
					   "c 1:3  r", "c 1:3 r ", "c 9999999999:3 r" };
	struct fixture *f = *state;
	struct oci_device_rule rule;

	assert_int_equal(security_parse_rule("c 1:3 rwm", &rule, &f->err), 0);
	assert_true(rule.allow && rule.type == 'c' && rule.major == 1 && rule.minor == 3);
	assert_int_equal(security_parse_rule("b 8:* r", &rule, &f->err), 0);
	assert_true(rule.minor == -1 && rule.read && !rule.write && !rule.mknod);
	assert_int_equal(security_parse_rule("a *:* rwm", NULL, &f->err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(security_parse_rule(bad[i], &rule, &f->err), -EINVAL);
}

static void options_take_both_separators(void **state)
{
	static const char *const bad[] = { "",
					   "seccomp",
					   "seccomp=",
					   "apparmor=",
					   "x=y",
					   "label=x",
					   "label",
					   "systempaths",
					   "=",
					   "no-new-privileges=1",
					   "systempaths=all" };
	struct engine_security s = { 0 };
	struct fixture *f = *state;

	assert_int_equal(security_parse_option("no-new-privileges", f->arena, &s, &f->err), 0);
	assert_true(s.no_new_privileges);
	assert_int_equal(security_parse_option("no-new-privileges:false", f->arena, &s, &f->err),
			 0);
	assert_false(s.no_new_privileges);
	assert_int_equal(security_parse_option("seccomp=unconfined", f->arena, &s, &f->err), 0);
	assert_string_equal(s.seccomp, ENGINE_UNCONFINED);
	assert_int_equal(security_parse_option("seccomp=a:b", f->arena, &s, &f->err), 0);
	assert_true(s.seccomp[0] == '/' && strcmp(strrchr(s.seccomp, '/'), "/a:b") == 0);
	assert_int_equal(security_parse_option("seccomp=builtin", f->arena, &s, &f->err), 0);
	assert_null(s.seccomp);
	assert_int_equal(security_parse_option("apparmor:p", f->arena, &s, &f->err), 0);
	assert_string_equal(s.apparmor, "p");
	assert_int_equal(security_parse_option("label:disable", f->arena, &s, &f->err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(security_parse_option(bad[i], f->arena, &s, &f->err), -EINVAL);
}

static const struct seccomp_host host = { .capabilities = UINT64_C(1) << CAP_SYS_CHROOT,
					  .architecture = "amd64",
					  .scmp_architecture = "SCMP_ARCH_X86_64",
					  .kernel_major = 5,
					  .kernel_minor = 4 };

/* How many of a profile's rules apply, and -1 when it is refused. */
static int applying(struct fixture *f, const char *rule)
{
	const struct oci_seccomp *profile;
	const char *text =
		arena_printf(f->arena,
			     "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": "
			     "[\"read\"], \"action\": \"SCMP_ACT_ALLOW\"%s}]}",
			     rule);

	if (seccomp_file_parse(text, strlen(text), &host, f->arena, &profile, &f->err) < 0)
		return -1;
	return (int)profile->rules_count;
}

static void conditions_decide(void **state)
{
	static const struct {
		const char *rule;
		int applies;
	} cases[] = {
		{ "", 1 },
		{ ", \"includes\": {}, \"excludes\": {}", 1 },
		{ ", \"includes\": {\"caps\": [\"CAP_SYS_CHROOT\"]}", 1 },
		{ ", \"includes\": {\"caps\": [\"CAP_SYS_CHROOT\", \"CAP_BPF\"]}", 0 },
		{ ", \"includes\": {\"caps\": [\"CAP_UNHEARD_OF\"]}", 0 },
		{ ", \"excludes\": {\"caps\": [\"CAP_BPF\", \"CAP_SYS_CHROOT\"]}", 0 },
		{ ", \"excludes\": {\"caps\": [\"CAP_BPF\"]}", 1 },
		{ ", \"includes\": {\"arches\": [\"arm64\", \"amd64\"]}", 1 },
		{ ", \"includes\": {\"arches\": [\"arm64\"]}", 0 },
		{ ", \"excludes\": {\"arches\": [\"amd64\"]}", 0 },
		{ ", \"includes\": {\"minKernel\": \"5.4\"}", 1 },
		{ ", \"includes\": {\"minKernel\": \"5.10\"}", 0 },
		{ ", \"includes\": {\"minKernel\": \"4.20\"}", 1 },
		{ ", \"excludes\": {\"minKernel\": \"5.4\"}", 0 },
		{ ", \"excludes\": {\"minKernel\": \"6.0\"}", 1 },
		{ ", \"includes\": {\"minKernel\": \"5\"}", -1 },
		{ ", \"includes\": {\"minKernel\": \"5.4.1\"}", -1 },
		{ ", \"includes\": []", -1 },
		{ ", \"excludes\": {\"caps\": \"CAP_BPF\"}", -1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(applying(f, cases[i].rule), cases[i].applies);
}

static void architectures_come_from_the_map(void **state)
{
	static const char text[] =
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"archMap\": ["
		"{\"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [\"SCMP_ARCH_ARM\"]},"
		"{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\"]}]}";
	const struct oci_seccomp *profile;
	struct fixture *f = *state;

	assert_int_equal(seccomp_file_parse(text, strlen(text), &host, f->arena, &profile, &f->err),
			 0);
	assert_string_equal(profile->architectures[0], "SCMP_ARCH_X86_64");
	assert_string_equal(profile->architectures[1], "SCMP_ARCH_X86");
	assert_null(profile->architectures[2]);
	assert_int_equal(profile->rules_count, 0);
}

static void what_is_wrong_is_told_by_the_files_index(void **state)
{
	static const char text[] =
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
		"{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"arches\": "
		"[\"s390x\"]}}, {\"names\": [\"read\"], \"action\": \"NO\"}]}";
	const struct oci_seccomp *profile;
	struct fixture *f = *state;

	assert_int_equal(seccomp_file_parse(text, strlen(text), &host, f->arena, &profile, &f->err),
			 -EINVAL);
	assert_non_null(strstr(f->err.text, "syscalls[1].action"));
	assert_null(strstr(f->err.text, "linux."));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(devices_are_read_as_docker_reads_them, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(rules_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options_take_both_separators, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conditions_decide, set_up, tear_down),
		cmocka_unit_test_setup_teardown(architectures_come_from_the_map, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_told_by_the_files_index, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
