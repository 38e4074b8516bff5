/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/seccomp_words.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/seccomp.h>

#include "base/cleanup.h"

struct word {
	const char *name;
	uint32_t value;
};

static int find(const struct word *words, size_t count, const char *name, uint32_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].name, name) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
};

int seccomp_action_parse(const char *name, uint32_t *ret_action)
{
	return find(actions, ARRAY_SIZE(actions), name, ret_action);
}

static const struct word operators[] = {
	{ "SCMP_CMP_EQ", SECCOMP_OP_EQ },	 { "SCMP_CMP_GE", SECCOMP_OP_GE },
	{ "SCMP_CMP_GT", SECCOMP_OP_GT },	 { "SCMP_CMP_LE", SECCOMP_OP_LE },
	{ "SCMP_CMP_LT", SECCOMP_OP_LT },	 { "SCMP_CMP_NE", SECCOMP_OP_NE },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_OP_EQ },
};

int seccomp_op_parse(const char *name, enum seccomp_op *ret_op, bool *ret_masked)
{
	uint32_t op;

	if (find(operators, ARRAY_SIZE(operators), name, &op) < 0)
		return -EINVAL;
	*ret_op = (enum seccomp_op)op;
	*ret_masked = strcmp(name, "SCMP_CMP_MASKED_EQ") == 0;
	return 0;
}

static const struct word flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

int seccomp_flag_parse(const char *name, uint32_t *ret_flag)
{
	return find(flags, ARRAY_SIZE(flags), name, ret_flag);
}

const char *seccomp_action_name(size_t index)
{
	return index < ARRAY_SIZE(actions) ? actions[index].name : NULL;
}

const char *seccomp_op_name(size_t index)
{
	return index < ARRAY_SIZE(operators) ? operators[index].name : NULL;
}

const char *seccomp_flag_name(size_t index)
{
	return index < ARRAY_SIZE(flags) ? flags[index].name : NULL;
}

bool seccomp_arch_is_known(const char *name)
{
	static const char *const names[] = {
		"AARCH64",   "ARM",    "LOONGARCH64", "M68K",	     "MIPS",   "MIPS64",
		"MIPS64N32", "MIPSEL", "MIPSEL64",    "MIPSEL64N32", "PARISC", "PARISC64",
		"PPC",	     "PPC64",  "PPC64LE",     "RISCV64",     "S390",   "S390X",
		"SH",	     "SHEB",   "X32",	      "X86",	     "X86_64",
	};

	if (strncmp(name, "SCMP_ARCH_", 10) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name + 10) == 0)
			return true;
	return false;
}
