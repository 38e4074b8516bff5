/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random profiles: our filters against a plain reading of the rules, and against libseccomp's. It
 * knows no "newer calls", so those are ours alone; and it is given one conditional rule a call
 * only, because 2.5.4 merges several wrongly ("arg0 >= 2^32" and "arg0 <= 0" together let 1 pass).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <seccomp.h>

#include "tests/unit/skip.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "bpf_machine.h"
#include "isolation/seccomp.h"
#include "isolation/seccomp_tables.h"

#define NR_END 600
#define ROUNDS 48
#define RULES 40

struct words {
	struct sock_filter *filter;
	unsigned count;
};

/* What libseccomp makes of its context. */
static struct words export(scmp_filter_ctx ctx)
{
	_cleanup_fd_ int fd = memfd_create("filter", MFD_CLOEXEC);
	struct words ret = { 0 };
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	ret.filter = malloc((size_t)st.st_size);
	assert_non_null(ret.filter);
	assert_int_equal(pread(fd, ret.filter, (size_t)st.st_size, 0), st.st_size);
	ret.count = (unsigned)((size_t)st.st_size / sizeof(*ret.filter));
	return ret;
}

static const uint64_t values[] = {
	0,	    1,		 2,	      0x28,	    0x7fffffff,		0x80000000,
	0xffffffff, 0x100000000, 0x100000001, 0x2800000000, 0x7fffffffffffffff, 0x8000000000000000,
	UINT64_MAX
};

/* Numbers that are the same in every run. */
static uint64_t rng_state = 88172645463325252ULL;

static uint32_t pick(uint32_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (uint32_t)(rng_state >> 33) % below;
}

static int scmp_compare(const char *op)
{
	static const struct {
		const char *name;
		enum scmp_compare value;
	} ops[] = { { "SCMP_CMP_EQ", SCMP_CMP_EQ },
		    { "SCMP_CMP_NE", SCMP_CMP_NE },
		    { "SCMP_CMP_LT", SCMP_CMP_LT },
		    { "SCMP_CMP_LE", SCMP_CMP_LE },
		    { "SCMP_CMP_GE", SCMP_CMP_GE },
		    { "SCMP_CMP_GT", SCMP_CMP_GT },
		    { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ } };

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i].name, op) == 0)
			return ops[i].value;
	fail();
	return 0;
}

static uint32_t scmp_action(const char *action, const struct oci_u32 *errno_ret)
{
	if (strcmp(action, "SCMP_ACT_ALLOW") == 0)
		return SCMP_ACT_ALLOW;
	if (strcmp(action, "SCMP_ACT_TRAP") == 0)
		return SCMP_ACT_TRAP;
	if (strcmp(action, "SCMP_ACT_LOG") == 0)
		return SCMP_ACT_LOG;
	assert_string_equal(action, "SCMP_ACT_ERRNO");
	return SCMP_ACT_ERRNO(errno_ret->set ? errno_ret->value : EPERM);
}

static void give_rule(scmp_filter_ctx ctx, const struct oci_seccomp *profile,
		      const struct oci_seccomp_rule *rule)
{
	uint32_t action = scmp_action(rule->action, &rule->errno_ret);
	struct scmp_arg_cmp cmp[6];
	bool alternatives = false;

	if (action == scmp_action(profile->default_action, &profile->default_errno_ret))
		return;
	for (size_t i = 0; i < rule->args_count; i++) {
		const struct oci_seccomp_arg *a = &rule->args[i];

		cmp[i] = (struct scmp_arg_cmp){ a->index, scmp_compare(a->op), a->value,
						a->value_two };
		for (size_t k = 0; k < i; k++)
			alternatives |= cmp[k].arg == cmp[i].arg;
	}
	for (size_t n = 0; rule->names[n]; n++) {
		int nr = seccomp_syscall_resolve_name(rule->names[n]);

		if (nr == __NR_SCMP_ERROR)
			continue;
		if (!alternatives)
			seccomp_rule_add_array(ctx, action, nr, (unsigned)rule->args_count, cmp);
		for (size_t i = 0; alternatives && i < rule->args_count; i++)
			seccomp_rule_add_array(ctx, action, nr, 1, &cmp[i]);
	}
}

static struct words libseccomp_compile(const struct oci_seccomp *profile)
{
	scmp_filter_ctx ctx =
		seccomp_init(scmp_action(profile->default_action, &profile->default_errno_ret));

	assert_non_null(ctx);
	for (size_t i = 0; profile->architectures && profile->architectures[i]; i++) {
		uint32_t arch = strcmp(profile->architectures[i], "SCMP_ARCH_X32") == 0
					? SCMP_ARCH_X32
					: SCMP_ARCH_X86;

		assert_int_equal(seccomp_arch_add(ctx, arch), 0);
	}
	for (size_t i = 0; i < profile->rules_count; i++)
		give_rule(ctx, profile, &profile->rules[i]);
	struct words ret = export(ctx);

	seccomp_release(ctx);
	return ret;
}

/* The highest number that the profile names; calls above it are ours alone. */
static int highest(const struct oci_seccomp *profile, size_t abi)
{
	int max = -1;

	for (size_t i = 0; i < profile->rules_count; i++) {
		for (size_t n = 0; profile->rules[i].names[n]; n++) {
			const struct seccomp_name *name =
				seccomp_tables_find(&seccomp_tables, profile->rules[i].names[n]);

			if (name && name->nr[abi] > max)
				max = name->nr[abi];
		}
	}
	return max;
}

/* For the reader of a failure: the rules of a call. */
static void print_rules(const struct oci_seccomp *profile, size_t abi, int nr)
{
	for (size_t i = 0; profile && i < profile->rules_count; i++) {
		const struct oci_seccomp_rule *rule = &profile->rules[i];

		for (size_t n = 0; rule->names[n]; n++) {
			const struct seccomp_name *name =
				seccomp_tables_find(&seccomp_tables, rule->names[n]);

			if (!name || name->nr[abi] != nr)
				continue;
			print_message("%s %s:", rule->names[n], rule->action);
			for (size_t k = 0; k < rule->args_count; k++)
				print_message(" arg%u %s %#llx %#llx", rule->args[k].index,
					      rule->args[k].op,
					      (unsigned long long)rule->args[k].value,
					      (unsigned long long)rule->args[k].value_two);
			print_message("\n");
		}
	}
}

static bool holds(const struct oci_seccomp_arg *arg, uint64_t value, bool wide)
{
	uint64_t right = wide ? arg->value : (uint32_t)arg->value;

	switch (scmp_compare(arg->op)) {
	case SCMP_CMP_EQ:
		return value == right;
	case SCMP_CMP_NE:
		return value != right;
	case SCMP_CMP_LT:
		return value < right;
	case SCMP_CMP_LE:
		return value <= right;
	case SCMP_CMP_GE:
		return value >= right;
	case SCMP_CMP_GT:
		return value > right;
	default:
		return (value & right) == (wide ? arg->value_two : (uint32_t)arg->value_two);
	}
}

static bool rule_holds(const struct oci_seccomp_rule *rule, const uint64_t *args, bool wide)
{
	bool all = true, any = false, alternatives = false;

	for (size_t i = 0; i < rule->args_count; i++) {
		bool one = holds(&rule->args[i], args[rule->args[i].index], wide);

		for (size_t k = 0; k < i; k++)
			alternatives |= rule->args[k].index == rule->args[i].index;
		all &= one;
		any |= one;
	}
	return alternatives ? any : all;
}

static bool rule_names(const struct oci_seccomp_rule *rule, size_t abi, int nr)
{
	for (size_t n = 0; rule->names[n]; n++) {
		const struct seccomp_name *name =
			seccomp_tables_find(&seccomp_tables, rule->names[n]);

		if (name && name->nr[abi] == nr)
			return true;
	}
	return false;
}

/* What a profile says of a call, read in two passes: rules without conditions, then with. */
static uint32_t meaning(const struct oci_seccomp *profile, size_t abi, int nr, const uint64_t *args)
{
	uint32_t action = scmp_action(profile->default_action, &profile->default_errno_ret);

	for (int conditional = 0; conditional < 2; conditional++) {
		for (size_t i = 0; i < profile->rules_count; i++) {
			const struct oci_seccomp_rule *rule = &profile->rules[i];
			uint32_t own = scmp_action(rule->action, &rule->errno_ret);

			if (own != action && (rule->args_count > 0) == conditional &&
			    rule_names(rule, abi, nr) &&
			    rule_holds(rule, args, seccomp_tables.abis[abi].wide))
				return own;
		}
	}
	return action;
}

/* theirs: NULL to compare with the rules' meaning alone. */
static void compare_call(const struct oci_seccomp *profile, const struct sock_filter *ours,
			 const struct sock_filter *theirs, size_t abi, int nr, const uint64_t *args)
{
	const struct seccomp_abi *a = &seccomp_tables.abis[abi];
	struct seccomp_data data = { .nr = (int)(a->base + (uint32_t)nr), .arch = a->audit_arch };
	uint32_t we, they;

	/* 32-bit calls have 32-bit arguments; of x32's libseccomp reads no more either. */
	for (int i = 0; i < 6; i++)
		data.args[i] = abi == 0 ? args[i] : (uint32_t)args[i];
	we = bpf_run(ours, &data);
	they = theirs ? bpf_run(theirs, &data)
		      : meaning(profile, abi, nr, (const uint64_t *)data.args);
	if (we == they)
		return;
	print_rules(profile, abi, nr);
	fail_msg("%s call %d (%#llx, %#llx, %#llx): %#x instead of %#x", a->name, nr,
		 (unsigned long long)data.args[0], (unsigned long long)data.args[1],
		 (unsigned long long)data.args[2], we, they);
}

static void compare_abi(const struct oci_seccomp *profile, const struct sock_filter *ours,
			const struct sock_filter *theirs, size_t abi)
{
	bool permissive = strcmp(profile->default_action, "SCMP_ACT_ERRNO") != 0;
	int end = permissive ? NR_END : highest(profile, abi) + 1;

	for (int nr = 0; nr < end; nr++) {
		bool ruled = false;

		for (size_t i = 0; i < profile->rules_count; i++)
			ruled |= rule_names(&profile->rules[i], abi, nr);
		/* Of a call without a rule arguments do not matter. */
		for (size_t v = 0; v < (ruled ? 2 * ARRAY_SIZE(values) : 1); v++) {
			uint64_t args[6];

			for (int i = 0; i < 6; i++)
				args[i] = v < ARRAY_SIZE(values) ? values[v]
								 : values[pick(ARRAY_SIZE(values))];
			compare_call(profile, ours, theirs, abi, nr, args);
		}
	}
}

static void compare_all(const struct oci_seccomp *profile, uint32_t abis, bool with_libseccomp)
{
	struct words theirs = { 0 };
	struct seccomp_program ours;
	struct err err = { 0 };

	if (with_libseccomp)
		theirs = libseccomp_compile(profile);
	if (seccomp_compile(profile, &ours, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bpf_is_valid(ours.filter, ours.count));
	for (size_t abi = 0; abi < seccomp_tables.abis_count; abi++)
		if (abis & 1U << abi)
			compare_abi(profile, ours.filter, theirs.filter, abi);
	seccomp_deinit(&ours);
	free(theirs.filter);
}

/* A profile of random rules, and the memory it needs. */
struct random_profile {
	struct oci_seccomp profile;
	struct oci_seccomp_rule rules[RULES];
	const char *names[RULES][4];
	struct oci_seccomp_arg args[RULES][3];
};

/* libseccomp knows the name, and the number that we have for it on every ABI. */
static bool is_common(const struct seccomp_name *name)
{
	const char *text = seccomp_tables.texts + name->text;
	int native = seccomp_syscall_resolve_name(text);

	if (native == __NR_SCMP_ERROR || name->mux)
		return false;
	for (size_t abi = 1; abi < seccomp_tables.abis_count; abi++) {
		uint32_t token = strcmp(seccomp_tables.abis[abi].name, "x86") == 0 ? SCMP_ARCH_X86
										   : SCMP_ARCH_X32;

		if (name->nr[abi] >= 0 && seccomp_syscall_resolve_name_arch(token, text) < 0)
			return false;
	}
	return true;
}

/* used: names that have a rule already, or NULL where calls may have several. */
static const char *random_name(bool *used)
{
	for (;;) {
		uint32_t i = pick((uint32_t)seccomp_tables.names_count);
		const struct seccomp_name *name = &seccomp_tables.names[i];

		if (!is_common(name) || (used && used[i]))
			continue;
		if (used)
			used[i] = true;
		return seccomp_tables.texts + name->text;
	}
}

static void random_args(struct oci_seccomp_rule *rule, struct oci_seccomp_arg *args, bool narrow,
			bool distinct)
{
	static const char *const ops[] = { "SCMP_CMP_EQ",	"SCMP_CMP_NE", "SCMP_CMP_LT",
					   "SCMP_CMP_LE",	"SCMP_CMP_GE", "SCMP_CMP_GT",
					   "SCMP_CMP_MASKED_EQ" };

	rule->args_count = 1 + pick(3);
	rule->args = args;
	for (size_t i = 0; i < rule->args_count; i++) {
		args[i] = (struct oci_seccomp_arg){
			.index = distinct ? (uint32_t)i : pick(3),
			.op = ops[pick(ARRAY_SIZE(ops))],
			.value = values[pick(ARRAY_SIZE(values))],
		};
		if (narrow)
			args[i].value = (uint32_t)args[i].value;
		/* Bits outside the mask would make it never equal. */
		args[i].value_two = values[pick(ARRAY_SIZE(values))] & args[i].value;
	}
}

/* simple: what libseccomp gets right, one conditional rule a call. */
static void make_random(struct random_profile *p, bool permissive, bool simple,
			const char *const *architectures)
{
	bool *used = calloc(seccomp_tables.names_count, sizeof(*used));

	assert_non_null(used);
	memset(p, 0, sizeof(*p));
	p->profile.default_action = permissive ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO";
	p->profile.architectures = architectures;
	p->profile.rules = p->rules;
	p->profile.rules_count = RULES;
	for (size_t i = 0; i < RULES; i++) {
		struct oci_seccomp_rule *rule = &p->rules[i];
		bool conditional = pick(2) == 0;

		rule->names = p->names[i];
		for (uint32_t n = 0, count = 1 + pick(3); n < count; n++)
			p->names[i][n] = random_name(simple ? used : NULL);
		rule->action = permissive ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW";
		if (pick(3) == 0)
			rule->action = "SCMP_ACT_TRAP";
		if (conditional)
			random_args(rule, p->args[i], architectures != NULL, simple);
	}
	free(used);
}

static void random_profiles_mean_what_they_say(void **state)
{
	(void)state;
	static struct random_profile p;

	for (int i = 0; i < ROUNDS; i++) {
		make_random(&p, i % 2, false, NULL);
		compare_all(&p.profile, 1, false);
	}
}

static void random_profiles_mean_the_same_to_libseccomp(void **state)
{
	(void)state;
	static struct random_profile p;

	for (int i = 0; i < ROUNDS; i++) {
		make_random(&p, i % 2, true, NULL);
		compare_all(&p.profile, 1, true);
	}
}

#ifdef __x86_64__
static void random_profiles_of_three_abis_mean_the_same(void **state)
{
	(void)state;
	static const char *const architectures[] = { "SCMP_ARCH_X86", "SCMP_ARCH_X32", NULL };
	static struct random_profile p;

	for (int i = 0; i < ROUNDS / 3; i++) {
		make_random(&p, i % 2, i % 3 != 0, architectures);
		compare_all(&p.profile, 7, i % 3 != 0);
	}
}
#endif

/* The default profile's rows, given to libseccomp for each architecture by number. */
static struct words default_by_libseccomp(uint64_t capabilities, size_t abi, uint32_t token)
{
	static const enum scmp_compare ops[] = { SCMP_CMP_MASKED_EQ, SCMP_CMP_NE };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (token != seccomp_arch_native()) {
		assert_int_equal(seccomp_arch_add(ctx, token), 0);
		assert_int_equal(seccomp_arch_remove(ctx, seccomp_arch_native()), 0);
	}
	for (size_t i = 0; i < seccomp_tables.rows_count; i++) {
		const struct seccomp_row *row = &seccomp_tables.rows[i];
		const struct seccomp_test *tests = &seccomp_tables.tests[row->first_test];
		struct scmp_arg_cmp cmp[6];

		if (row->abi != abi ||
		    (row->capability >= 0 && (capabilities >> row->capability & 1) == row->without))
			continue;
		for (size_t k = 0; k < row->tests_count; k++) {
			cmp[k] = (struct scmp_arg_cmp){ tests[k].arg, ops[tests[k].op],
							tests[k].mask, tests[k].value };
			if (tests[k].op == SECCOMP_OP_NE)
				cmp[k].datum_a = tests[k].value;
		}
		/* It takes one condition an argument; "not these two" is three ranges to it. */
		if (row->tests_count == 2) {
			cmp[0] = SCMP_A0_64(SCMP_CMP_LT, 38);
			seccomp_rule_add_exact_array(ctx, row->action, row->nr, 1, cmp);
			cmp[0] = SCMP_A0_64(SCMP_CMP_EQ, 39);
			seccomp_rule_add_exact_array(ctx, row->action, row->nr, 1, cmp);
			cmp[0] = SCMP_A0_64(SCMP_CMP_GT, 40);
			seccomp_rule_add_exact_array(ctx, row->action, row->nr, 1, cmp);
		} else {
			seccomp_rule_add_array(ctx, row->action, row->nr, row->tests_count, cmp);
		}
	}
	struct words ret = export(ctx);

	seccomp_release(ctx);
	return ret;
}

static void the_default_profile_means_the_same(void **state)
{
	(void)state;
	static const uint64_t sets[] = { 0xa80425fb, 0, UINT64_MAX, 1ULL << 21, 1ULL << 34 };
	struct err err = { 0 };

	for (size_t s = 0; s < ARRAY_SIZE(sets); s++) {
		struct words theirs = default_by_libseccomp(sets[s], 0, seccomp_arch_native());
		struct seccomp_program ours;

		assert_int_equal(seccomp_default(sets[s], &ours, &err), 0);
		for (int nr = 0; nr <= 466; nr++) {
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				/* Wide arguments are cut to ints by us alone. */
				uint64_t args[6] = { (uint32_t)values[v] };

				compare_call(NULL, ours.filter, theirs.filter, 0, nr, args);
			}
		}
		seccomp_deinit(&ours);
		free(theirs.filter);
	}
}

/* The profile of Podman's and others' users, where the host has it. */
#define CONTAINERS_PROFILE "/usr/share/containers/seccomp.json"

static void a_real_profile_means_the_same(void **state)
{
	(void)state;
	static const char head[] =
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":";
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_free_ char *profile = NULL, *text = NULL;
	struct err err = { 0 };
	size_t len;

	if (file_read(AT_FDCWD, CONTAINERS_PROFILE, 1 << 20, &profile, &len, &err) < 0) {
		skip_because("no profile of Podman's on this machine");
	}
	assert_true(asprintf(&text, "%s%s}}", head, profile) > 0);
	if (oci_config_parse(text, strlen(text), &config, &err) < 0)
		fail_msg("%s", err.text);
	compare_all(config->seccomp, 1, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_profiles_mean_what_they_say),
		cmocka_unit_test(random_profiles_mean_the_same_to_libseccomp),
#ifdef __x86_64__
		cmocka_unit_test(random_profiles_of_three_abis_mean_the_same),
#endif
		cmocka_unit_test(the_default_profile_means_the_same),
		cmocka_unit_test(a_real_profile_means_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
