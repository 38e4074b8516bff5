/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp of config.json: what profiles come to mean, and which are refused how. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "bpf_machine.h"
#include "isolation/seccomp.h"
#include "isolation/seccomp_tables.h"

#define ALLOW SECCOMP_RET_ALLOW
#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))
#define KILL SECCOMP_RET_KILL_PROCESS

/* Parsed from `json`, the value of linux.seccomp. */
static struct oci_config *config_with(const char *json)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	struct oci_config *config = NULL;
	struct err err = { 0 };

	strbuf_adds(
		&text,
		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"seccomp\":");
	strbuf_adds(&text, json);
	strbuf_adds(&text, "}}");
	if (oci_config_parse(text.data, text.len, &config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

static struct seccomp_program compile(const char *json)
{
	_cleanup_oci_config_ struct oci_config *config = config_with(json);
	struct seccomp_program program;
	struct err err = { 0 };

	if (seccomp_compile(config->seccomp, &program, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bpf_is_valid(program.filter, program.count));
	return program;
}

static uint32_t native_arch(void)
{
	return seccomp_tables.abis[0].audit_arch;
}

static uint32_t ask_arch(const struct seccomp_program *program, uint32_t arch, long nr,
			 uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = arch, .args = { arg0, arg1 } };

	return bpf_run(program->filter, &data);
}

static uint32_t ask(const struct seccomp_program *program, long nr, uint64_t arg0, uint64_t arg1)
{
	return ask_arch(program, native_arch(), nr, arg0, arg1);
}

static void actions_become_the_kernels(void **state)
{
	(void)state;
	static const struct {
		const char *rule;
		uint32_t action;
	} cases[] = {
		{ "\"action\":\"SCMP_ACT_KILL\"", SECCOMP_RET_KILL_THREAD },
		{ "\"action\":\"SCMP_ACT_KILL_THREAD\"", SECCOMP_RET_KILL_THREAD },
		{ "\"action\":\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_KILL_PROCESS },
		{ "\"action\":\"SCMP_ACT_TRAP\"", SECCOMP_RET_TRAP },
		{ "\"action\":\"SCMP_ACT_ERRNO\"", ERRNO(EPERM) },
		{ "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38", ERRNO(38) },
		{ "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":0", ERRNO(0) },
		{ "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":4095", ERRNO(4095) },
		{ "\"action\":\"SCMP_ACT_TRACE\"", SECCOMP_RET_TRACE | EPERM },
		{ "\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":65535", SECCOMP_RET_TRACE | 65535 },
		{ "\"action\":\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG },
		{ "\"action\":\"SCMP_ACT_NOTIFY\"", SECCOMP_RET_USER_NOTIF },
		{ "\"action\":\"SCMP_ACT_ALLOW\"", ALLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char json[256];

		snprintf(
			json, sizeof(json),
			"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/l\",\"syscalls\":[{\"names\":[\"chdir\"],%s}]}",
			cases[i].rule);
		struct seccomp_program program = compile(json);

		assert_int_equal(ask(&program, SYS_chdir, 0, 0), cases[i].action);
		assert_int_equal(ask(&program, SYS_fchdir, 0, 0), ALLOW);
		seccomp_deinit(&program);
	}
}

static void operators_compare_64_bits_unsigned(void **state)
{
	(void)state;
	static const uint64_t values[] = {
		0,	     1,		  0x7fffffff,  0x80000000,	   0xffffffff,
		0x100000000, 0x100000001, 0x1ffffffff, 0x8000000000000000, UINT64_MAX - 1,
		UINT64_MAX
	};
	static const char *const ops[] = { "EQ", "NE", "LT", "LE", "GE", "GT" };

	for (size_t op = 0; op < ARRAY_SIZE(ops); op++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			char json[320];
			uint64_t v = values[i];

			snprintf(
				json, sizeof(json),
				"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":%llu,\"op\":\"SCMP_CMP_%s\"}]}]}",
				(unsigned long long)v, ops[op]);
			struct seccomp_program program = compile(json);

			for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
				uint64_t a = values[k];
				const bool holds[] = { a == v, a != v, a<v, a <= v, a >= v, a> v };

				assert_int_equal(ask(&program, SYS_chdir, 0, a),
						 holds[op] ? ALLOW : ERRNO(EPERM));
			}
			seccomp_deinit(&program);
		}
	}
}

static void masked_equality_takes_the_mask_from_value(void **state)
{
	(void)state;
	struct seccomp_program program = compile(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1099511627791,\"valueTwo\":1099511627778,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}");

	/* The mask is bit 40 and the low four, so both words are looked at. */
	assert_int_equal(ask(&program, SYS_chdir, 1ULL << 40 | 2, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir, 1ULL << 40 | 0xf2, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir, 2, 0), ERRNO(EPERM));
	assert_int_equal(ask(&program, SYS_chdir, 1ULL << 40 | 3, 0), ERRNO(EPERM));
	seccomp_deinit(&program);
}

static void conditions_on_several_arguments_must_all_hold(void **state)
{
	(void)state;
	struct seccomp_program program = compile(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":6,\"op\":\"SCMP_CMP_GT\"}]}]}");

	assert_int_equal(ask(&program, SYS_chdir, 5, 7), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir, 5, 6), ERRNO(EPERM));
	assert_int_equal(ask(&program, SYS_chdir, 4, 7), ERRNO(EPERM));
	seccomp_deinit(&program);
}

static void conditions_on_one_argument_are_alternatives(void **state)
{
	(void)state;
	struct seccomp_program program = compile(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]}]}");

	assert_int_equal(ask(&program, SYS_chdir, 5, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir, 9, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir, 6, 0), ERRNO(EPERM));
	seccomp_deinit(&program);
}

static void rules_without_conditions_come_first(void **state)
{
	(void)state;
	struct seccomp_program program = compile(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		"{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":2,\"args\":[{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":3},"
		"{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":4},"
		"{\"names\":[\"fchdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5,\"args\":[{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_GE\"}]},"
		"{\"names\":[\"fchdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":6,\"args\":[{\"index\":0,\"value\":3,\"op\":\"SCMP_CMP_GE\"}]}]}");

	assert_int_equal(ask(&program, SYS_chdir, 5, 0), ERRNO(3));
	assert_int_equal(ask(&program, SYS_fchdir, 6, 0), ERRNO(5));
	assert_int_equal(ask(&program, SYS_fchdir, 4, 0), ERRNO(6));
	assert_int_equal(ask(&program, SYS_fchdir, 2, 0), ALLOW);
	seccomp_deinit(&program);
}

static void calls_above_the_highest_named_do_not_exist(void **state)
{
	(void)state;
	/* The rule with the default action makes its call known. */
	struct seccomp_program program = compile(
		"{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[{\"names\":[\"read\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"openat2\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}");

	assert_int_equal(ask(&program, SYS_read, 0, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_openat2, 0, 0), KILL);
	assert_int_equal(ask(&program, SYS_openat2 - 1, 0, 0), KILL);
	assert_int_equal(ask(&program, SYS_openat2 + 1, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(ask(&program, -1, 0, 0), ERRNO(ENOSYS));
	seccomp_deinit(&program);
}

static void permissive_profiles_let_newer_calls_pass(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t action;
	} defaults[] = { { "ALLOW", ALLOW },
			 { "LOG", SECCOMP_RET_LOG },
			 { "TRACE", SECCOMP_RET_TRACE | EPERM } };

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		char json[256];

		snprintf(
			json, sizeof(json),
			"{\"defaultAction\":\"SCMP_ACT_%s\",\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_TRAP\"}]}",
			defaults[i].name);
		struct seccomp_program program = compile(json);

		assert_int_equal(ask(&program, SYS_chdir, 0, 0), SECCOMP_RET_TRAP);
		assert_int_equal(ask(&program, 5000, 0, 0), defaults[i].action);
		/* How a tracer skips a call. */
		assert_int_equal(ask(&program, -1, 0, 0), defaults[i].action);
		assert_int_equal(ask_arch(&program, AUDIT_ARCH_S390X, 1, 0, 0), KILL);
		seccomp_deinit(&program);
	}
}

#ifdef __x86_64__
static void architectures_are_told_apart(void **state)
{
	(void)state;
	struct seccomp_program native = compile(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_AARCH64\"],\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_TRAP\"}]}");
	struct seccomp_program all = compile(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_TRAP\"}]}");

	assert_int_equal(ask(&native, 80, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(ask(&native, 12, 0, 0), ALLOW);
	assert_int_equal(ask_arch(&native, AUDIT_ARCH_I386, 20, 0, 0), KILL);
	assert_int_equal(ask(&native, 0x40000000 + 80, 0, 0), KILL);
	assert_int_equal(ask(&native, 0x40000000 + 12, 0, 0), KILL);
	assert_int_equal(ask(&all, 80, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(ask(&all, 0x40000000 + 80, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(ask(&all, 0x40000000 + 12, 0, 0), ALLOW);
	assert_int_equal(ask_arch(&all, AUDIT_ARCH_I386, 12, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(ask_arch(&all, AUDIT_ARCH_I386, 80, 0, 0), ALLOW);
	seccomp_deinit(&native);
	seccomp_deinit(&all);
}

#define I386(program, nr, arg0) ask_arch(program, AUDIT_ARCH_I386, nr, arg0, 0)

static void i386_calls_through_socketcall_and_ipc_follow_their_rules(void **state)
{
	(void)state;
	struct seccomp_program allow = compile(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":["
		"{\"names\":[\"connect\",\"msgget\",\"accept\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_NE\"}]}]}");
	struct seccomp_program deny = compile(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":["
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_EQ\"}]}]}");

	assert_int_equal(I386(&allow, 362 /* connect */, 0), ALLOW);
	assert_int_equal(I386(&allow, 102, 3 /* connect */), ALLOW);
	assert_int_equal(I386(&allow, 102, 5 /* accept */), ALLOW);
	assert_int_equal(I386(&allow, 102, 2 /* bind */), ERRNO(EPERM));
	assert_int_equal(I386(&allow, 117, 13 /* msgget */), ALLOW);
	assert_int_equal(I386(&allow, 117, 1 << 16 | 13), ALLOW);
	assert_int_equal(I386(&allow, 117, 23 /* shmget */), ERRNO(EPERM));
	assert_int_equal(I386(&allow, 359 /* socket */, 2), ALLOW);
	assert_int_equal(I386(&allow, 359, 40), ERRNO(EPERM));
	/* The family cannot be seen there, so the stricter answer holds. */
	assert_int_equal(I386(&allow, 102, 1), ERRNO(EPERM));
	assert_int_equal(I386(&deny, 359, 2), ALLOW);
	assert_int_equal(I386(&deny, 359, 40), ERRNO(EPERM));
	assert_int_equal(I386(&deny, 102, 1), ERRNO(EPERM));
	seccomp_deinit(&allow);
	seccomp_deinit(&deny);
}
#endif

static void flags_reach_the_kernel(void **state)
{
	(void)state;
	static const struct {
		const char *json, *action;
		uint32_t flags;
	} cases[] = {
		{ "", "ERRNO", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "\"flags\":[],", "ERRNO", 0 },
		{ "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"],", "ERRNO",
		  SECCOMP_FILTER_FLAG_LOG },
		{ "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],", "ERRNO", 0 },
		{ "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],", "NOTIFY",
		  SECCOMP_FILTER_FLAG_NEW_LISTENER | 1 << 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char json[320];

		snprintf(
			json, sizeof(json),
			"{\"defaultAction\":\"SCMP_ACT_ALLOW\",%s\"listenerPath\":\"/run/l\",\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_%s\"}]}",
			cases[i].json, cases[i].action);
		struct seccomp_program program = compile(json);

		assert_int_equal(program.flags, cases[i].flags);
		seccomp_deinit(&program);
	}
}

#define RULES(rules) "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" rules "]}"

static void wrong_values_are_refused_by_path(void **state)
{
	(void)state;
	static const struct {
		const char *json, *text;
	} cases[] = {
		{ "{\"defaultAction\":\"ALLOW\"}",
		  "linux.seccomp.defaultAction: \"ALLOW\" is not an action" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/l\"}",
		  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would also stop the calls that hand the listener over" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
		  "linux.seccomp.defaultErrnoRet: 4096 is not a number from 0 to 4095" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}",
		  "linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW has no error number" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X87\"]}",
		  "linux.seccomp.architectures[1]: \"SCMP_ARCH_X87\" is not an architecture" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"X86\"]}",
		  "linux.seccomp.architectures[0]: \"X86\" is not an architecture" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"LOG\"]}",
		  "linux.seccomp.flags[0]: \"LOG\" is not a flag" },
		{ RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\"},{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_FOO\"}"),
		  "linux.seccomp.syscalls[1].action: \"SCMP_ACT_FOO\" is not an action" },
		{ RULES("{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}"),
		  "linux.seccomp.syscalls[0].names: at least one is needed" },
		{ RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\",\"errnoRet\":0}"),
		  "linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_LOG has no error number" },
		{ RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":65536}"),
		  "linux.seccomp.syscalls[0].errnoRet: 65536 is not a number from 0 to 65535" },
		{ RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":1,\"op\":\"==\"}]}"),
		  "linux.seccomp.syscalls[0].args[1].op: \"==\" is not an operator" },
		{ RULES("{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}"),
		  "linux.seccomp.listenerPath: missing, and SCMP_ACT_NOTIFY needs it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_oci_config_ struct oci_config *config = config_with(cases[i].json);
		struct seccomp_program program = { .count = 7 };
		struct err err = { 0 };

		assert_int_equal(seccomp_compile(config->seccomp, &program, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(program.count, 7);
	}
}

static void an_index_beyond_the_arguments_is_refused(void **state)
{
	(void)state;
	/* The parser refuses it as well; this is for profiles built in code. */
	const char *const names[] = { "read", NULL };
	struct oci_seccomp_arg arg = { .index = 6, .op = "SCMP_CMP_EQ" };
	struct oci_seccomp_rule rule = {
		.names = names, .action = "SCMP_ACT_TRAP", .args = &arg, .args_count = 1
	};
	struct oci_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
				       .rules = &rule,
				       .rules_count = 1 };
	struct seccomp_program program;
	struct err err = { 0 };

	assert_int_equal(seccomp_compile(&profile, &program, &err), -EINVAL);
	assert_string_equal(
		err.text, "linux.seccomp.syscalls[0].args[0].index: 6 is not a number from 0 to 5");
}

static char *many_conditions(int count)
{
	struct strbuf json = { 0 };

	strbuf_adds(&json, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[");
	for (int i = 0; i < count; i++)
		strbuf_addf(
			&json,
			"%s{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d,\"args\":[{\"index\":0,\"value\":%d,\"op\":\"SCMP_CMP_EQ\"}]}",
			i ? "," : "", i % 4000, i);
	strbuf_adds(&json, "]}");
	return strbuf_take(&json);
}

static void long_programs_jump_far(void **state)
{
	(void)state;
	_cleanup_free_ char *json = many_conditions(700);
	struct seccomp_program program = compile(json);

	for (int i = 0; i < 700; i++)
		assert_int_equal(ask(&program, SYS_chdir, (uint64_t)i, 0), ERRNO(i));
	assert_int_equal(ask(&program, SYS_chdir, 700, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir, 1ULL << 32, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir - 1, 3, 0), ALLOW);
	assert_int_equal(ask(&program, SYS_chdir + 1, 3, 0), ALLOW);
	seccomp_deinit(&program);
}

static void what_the_kernel_would_not_take_is_refused(void **state)
{
	(void)state;
	_cleanup_free_ char *json = many_conditions(3000);
	_cleanup_oci_config_ struct oci_config *config = config_with(json);
	struct seccomp_program program;
	struct err err = { 0 };

	assert_int_equal(seccomp_compile(config->seccomp, &program, &err), -E2BIG);
	assert_string_equal(
		err.text,
		"linux.seccomp: the filter needs more than the 4096 instructions that the kernel takes");
}

static void the_kernel_takes_it(void **state)
{
	(void)state;
	struct seccomp_program program = compile(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"syscalls\":[{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":77},{\"names\":[\"fchdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":78,\"args\":[{\"index\":0,\"value\":4000000000,\"op\":\"SCMP_CMP_LT\"}]}]}");
	struct sock_fprog prog = { program.count, program.filter };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &prog) < 0)
			_exit(1);
		if (chdir("/") == 0 || errno != 77)
			_exit(2);
		if (fchdir(0) == 0 || errno != 78)
			_exit(3);
		_exit(fchdir(-1) < 0 && errno == EBADF ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	seccomp_deinit(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_become_the_kernels),
		cmocka_unit_test(operators_compare_64_bits_unsigned),
		cmocka_unit_test(masked_equality_takes_the_mask_from_value),
		cmocka_unit_test(conditions_on_several_arguments_must_all_hold),
		cmocka_unit_test(conditions_on_one_argument_are_alternatives),
		cmocka_unit_test(rules_without_conditions_come_first),
		cmocka_unit_test(calls_above_the_highest_named_do_not_exist),
		cmocka_unit_test(permissive_profiles_let_newer_calls_pass),
#ifdef __x86_64__
		cmocka_unit_test(architectures_are_told_apart),
		cmocka_unit_test(i386_calls_through_socketcall_and_ipc_follow_their_rules),
#endif
		cmocka_unit_test(flags_reach_the_kernel),
		cmocka_unit_test(wrong_values_are_refused_by_path),
		cmocka_unit_test(an_index_beyond_the_arguments_is_refused),
		cmocka_unit_test(long_programs_jump_far),
		cmocka_unit_test(what_the_kernel_would_not_take_is_refused),
		cmocka_unit_test(the_kernel_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
