/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules against a plain reading of them, and the BPF program in a small interpreter. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgroups/cgroup_device_bpf.h"

#define RULES_MAX 12

/* Just the instructions that the emitter knows; anything else fails the test. */
static bool run(const struct bpf_insn *insns, size_t count, char type, int32_t major, int32_t minor,
		unsigned access)
{
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type =
			access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = (uint32_t)major,
		.minor = (uint32_t)minor,
	};
	uint64_t reg[11] = { 0 };

	for (size_t pc = 0; pc < count; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t imm = (uint64_t)(int64_t)i->imm, *dst = &reg[i->dst_reg];
		uint32_t word;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_int_equal(i->src_reg, 1);
			assert_true(i->off >= 0 && i->off + 4u <= sizeof(ctx));
			memcpy(&word, (char *)&ctx + i->off, 4);
			*dst = word;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			*dst = reg[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			*dst = imm;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			*dst &= imm;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			*dst >>= imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += *dst != imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += *dst == imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return reg[0] != 0;
		default:
			fail_msg("instruction 0x%x", i->code);
		}
	}
	fail_msg("ran off the end");
	return false;
}

/* The rules as a person reads them: the last that speaks of an access decides about it. */
static bool reads_as(const struct oci_device_rule *rules, size_t count, char type, int32_t major,
		     int32_t minor, unsigned access)
{
	for (unsigned bit = 1; bit <= DEVICE_WRITE; bit <<= 1) {
		bool allowed = false;

		for (size_t i = 0; i < count; i++) {
			const struct oci_device_rule *r = &rules[i];
			unsigned mask = (r->read ? DEVICE_READ : 0) |
					(r->write ? DEVICE_WRITE : 0) |
					(r->mknod ? DEVICE_MKNOD : 0);

			if ((mask ? mask : DEVICE_ALL) & bit &&
			    (r->type == 'a' || r->type == type) &&
			    (r->major < 0 || r->major == major) &&
			    (r->minor < 0 || r->minor == minor))
				allowed = r->allow;
		}
		if (access & bit && !allowed)
			return false;
	}
	return true;
}

static const struct oci_device_rule own[] = {
	{ true, 'c', -1, -1, .mknod = true },	  { true, 'b', -1, -1, .mknod = true },
	{ true, 'c', 1, 3, true, true, true },	  { true, 'c', 1, 5, true, true, true },
	{ true, 'c', 1, 7, true, true, true },	  { true, 'c', 1, 8, true, true, true },
	{ true, 'c', 1, 9, true, true, true },	  { true, 'c', 5, 0, true, true, true },
	{ true, 'c', 5, 2, true, true, true },	  { true, 'c', 136, -1, true, true, true },
	{ true, 'c', 10, 200, true, true, true },
};

static const int32_t numbers[] = { 0, 1, 3, 5, 8, 136, 1000 };

/* All devices of interest with all kinds of access, in three ways. */
static void compare(const struct oci_device_rule *rules, size_t count)
{
	_cleanup_device_rules_ struct device_rules list = { 0 }, set = { 0 };
	struct oci_device_rule all[RULES_MAX + ARRAY_SIZE(own)];
	_cleanup_free_ struct bpf_insn *insns = NULL;
	size_t insns_count, n = ARRAY_SIZE(numbers);
	bool flat;

	if (count > 0)
		memcpy(all, rules, count * sizeof(rules[0]));
	memcpy(all + count, own, sizeof(own));
	assert_int_equal(device_rules_build(rules, count, &list, NULL), 0);
	assert_int_equal(device_bpf_emit(&list, &insns, &insns_count), 0);
	flat = device_rules_flatten(&list, &set, NULL) == 0;
	for (size_t i = 0; i < 2 * n * n * 7; i++) {
		char type = i % 2 ? 'b' : 'c';
		int32_t major = numbers[i / 2 % n], minor = numbers[i / 2 / n % n];
		unsigned access = 1 + (unsigned)(i / 2 / n / n);
		bool want = reads_as(all, count + ARRAY_SIZE(own), type, major, minor, access);

		assert_int_equal(device_rules_check(&list, type, major, minor, access), want);
		assert_int_equal(run(insns, insns_count, type, major, minor, access), want);
		if (flat)
			assert_int_equal(device_rules_check(&set, type, major, minor, access),
					 want);
	}
}

static const struct oci_device_rule deny_all = { false, 'a', -1, -1, true, true, true };
static const struct oci_device_rule allow_all = { true, 'a', -1, -1, true, true, true };

static void a_container_has_its_own_devices_and_no_others(void **state)
{
	_cleanup_device_rules_ struct device_rules list = { 0 };

	(void)state;
	assert_int_equal(device_rules_build(&deny_all, 1, &list, NULL), 0);
	assert_false(list.default_allow);
	assert_int_equal(list.count, 11);
	assert_true(device_rules_check(&list, 'c', 1, 3, DEVICE_ALL));
	assert_true(device_rules_check(&list, 'c', 136, 17, DEVICE_READ | DEVICE_WRITE));
	assert_true(device_rules_check(&list, 'b', 8, 0, DEVICE_MKNOD));
	assert_false(device_rules_check(&list, 'b', 8, 0, DEVICE_READ));
	assert_false(device_rules_check(&list, 'c', 1, 1, DEVICE_READ));
	compare(&deny_all, 1);
	compare(NULL, 0);
}

static void a_privileged_container_needs_no_rule_at_all(void **state)
{
	_cleanup_device_rules_ struct device_rules list = { 0 };

	(void)state;
	assert_int_equal(device_rules_build(&allow_all, 1, &list, NULL), 0);
	assert_true(list.default_allow);
	assert_int_equal(list.count, 0);
	compare(&allow_all, 1);
}

static void what_comes_before_a_rule_for_all_is_forgotten(void **state)
{
	const struct oci_device_rule rules[] = { { true, 'b', 8, 0, true, true, true }, deny_all };
	_cleanup_device_rules_ struct device_rules list = { 0 };

	(void)state;
	assert_int_equal(device_rules_build(rules, 2, &list, NULL), 0);
	assert_int_equal(list.count, 11);
	compare(rules, 2);
}

static void a_later_rule_takes_back_a_part(void **state)
{
	const struct oci_device_rule rules[] = {
		deny_all,
		{ true, 'b', 8, -1, true, true, false },
		{ false, 'b', 8, 0, false, true, false },
	};
	_cleanup_device_rules_ struct device_rules list = { 0 }, set = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(device_rules_build(rules, 3, &list, NULL), 0);
	assert_true(device_rules_check(&list, 'b', 8, 0, DEVICE_READ));
	assert_false(device_rules_check(&list, 'b', 8, 0, DEVICE_READ | DEVICE_WRITE));
	assert_true(device_rules_check(&list, 'b', 8, 1, DEVICE_READ | DEVICE_WRITE));
	compare(rules, 3);
	assert_int_equal(device_rules_flatten(&list, &set, &err), -EOPNOTSUPP);
	assert_string_equal(
		err.text,
		"linux.resources.devices: cgroup v1 cannot except \"b 8:0 w\" from the wider rule \"b 8:* rw\"");
}

static void type_a_with_numbers_means_both_types(void **state)
{
	const struct oci_device_rule rules[] = { deny_all,
						 { true, 'a', 8, 1, true, false, false } };

	(void)state;
	compare(rules, 2);
}

static void a_number_beyond_all_devices_is_refused(void **state)
{
	const struct oci_device_rule rules[] = { deny_all, { true, 'c', 4294967295, 1, true } };
	_cleanup_device_rules_ struct device_rules list = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(device_rules_build(rules, 2, &list, &err), -EINVAL);
	assert_string_equal(err.text,
			    "linux.resources.devices[1]: no device has number 4294967295:1");
}

static void random_rules_mean_the_same_in_all_three_forms(void **state)
{
	unsigned seed = 4711;

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct oci_device_rule rules[RULES_MAX];
		size_t count = (size_t)rand_r(&seed) % RULES_MAX;

		for (size_t i = 0; i < count; i++) {
			int major = rand_r(&seed) % 9, minor = rand_r(&seed) % 9;
			unsigned access = (unsigned)rand_r(&seed) % 8;

			rules[i] = (struct oci_device_rule){
				.allow = rand_r(&seed) % 2,
				.type = "abcc"[rand_r(&seed) % 4],
				.major = major < 7 ? numbers[major] : -1,
				.minor = minor < 7 ? numbers[minor] : -1,
				.read = access & 1,
				.write = access & 2,
				.mknod = access & 4,
			};
		}
		compare(rules, count);
	}
}

static void a_rule_reads_back_as_it_was_written(void **state)
{
	const struct device_rule rule = { true, 'c', 136, -1, DEVICE_READ | DEVICE_MKNOD };
	char text[DEVICE_RULE_SIZE];
	struct device_rule back;

	(void)state;
	assert_string_equal(device_rule_format(&rule, text), "c 136:* rm");
	assert_true(device_rule_parse(text, &back));
	assert_int_equal(back.major, 136);
	assert_int_equal(back.minor, -1);
	assert_int_equal(back.access, rule.access);
	assert_false(device_rule_parse("a *:* rwm", &back));
	assert_false(device_rule_parse("c 1:3", &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_has_its_own_devices_and_no_others),
		cmocka_unit_test(a_privileged_container_needs_no_rule_at_all),
		cmocka_unit_test(what_comes_before_a_rule_for_all_is_forgotten),
		cmocka_unit_test(a_later_rule_takes_back_a_part),
		cmocka_unit_test(type_a_with_numbers_means_both_types),
		cmocka_unit_test(a_number_beyond_all_devices_is_refused),
		cmocka_unit_test(random_rules_mean_the_same_in_all_three_forms),
		cmocka_unit_test(a_rule_reads_back_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
