/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler from spans to BPF.
 *
 * Theory of operation. Jumps of BPF go forward only and conditional ones reach 255 instructions,
 * so the program is written from its end to its beginning: whatever a jump goes to exists already
 * and its distance is known. A label is the place of an instruction counted from the end. Where a
 * target is out of reach, a copy of it (a return) or a long jump to it is written nearby.
 *
 * Every block starts by loading what it compares, so no state is carried between blocks, and a
 * label always names the first instruction of a block. Only loads of the architecture, the number
 * and the arguments, AND, JEQ, JGT, JGE, JA and returns are used: what the kernel can evaluate in
 * advance for its action cache.
 */
#include "isolation/seccomp_filter.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <linux/seccomp.h>

#include "base/cleanup.h"

#define REACH 255     /* jt and jf have eight bits */
#define RECENT_MAX 16 /* returns that are remembered for reuse */

typedef uint32_t label;

struct code {
	const struct seccomp_source *source;
	bool wide;		   /* of the section being written */
	struct sock_filter *insns; /* BPF_MAXINSNS, in reverse order */
	label count;
	bool full;
	struct {
		uint32_t action;
		label at;
	} recent[RECENT_MAX];
	unsigned recent_count;
};

static label put(struct code *code, uint16_t op, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (code->count == BPF_MAXINSNS) {
		code->full = true;
		return code->count - 1;
	}
	code->insns[code->count] = (struct sock_filter){ op, jt, jf, k };
	return code->count++;
}

/* How far a jump written after `ahead` more instructions has to go. */
static uint32_t distance(const struct code *code, label target, uint32_t ahead)
{
	return code->count + ahead - target - 1;
}

static label put_return(struct code *code, uint32_t action)
{
	unsigned slot = code->recent_count;

	for (unsigned i = 0; i < code->recent_count; i++) {
		if (code->recent[i].action != action)
			continue;
		/* Half the reach, so that the one who asked still gets there. */
		if (distance(code, code->recent[i].at, 0) <= REACH / 2)
			return code->recent[i].at;
		slot = i;
		break;
	}
	label at = put(code, BPF_RET | BPF_K, 0, 0, action);

	if (slot == RECENT_MAX)
		slot = action % RECENT_MAX;
	else if (slot == code->recent_count)
		code->recent_count++;
	code->recent[slot].action = action;
	code->recent[slot].at = at;
	return at;
}

/* The target, or a stand-in for it, within reach of a jump written after `ahead` instructions. */
static label near(struct code *code, label target, uint32_t ahead)
{
	if (distance(code, target, ahead) <= REACH)
		return target;
	const struct sock_filter *insn = &code->insns[target];

	if (insn->code == (BPF_RET | BPF_K))
		return put_return(code, insn->k);
	return put(code, BPF_JMP | BPF_JA, 0, 0, distance(code, target, 0));
}

static void put_jump(struct code *code, uint16_t op, uint32_t k, label yes, label no)
{
	yes = near(code, yes, 1); /* what `no` may need comes between */
	no = near(code, no, 0);
	put(code, BPF_JMP | op | BPF_K, distance(code, yes, 0), distance(code, no, 0), k);
}

static label put_load(struct code *code, uint32_t offset)
{
	return put(code, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

static uint32_t arg_offset(unsigned arg, bool high)
{
	uint32_t offset = offsetof(struct seccomp_data, args) + 8 * arg;
	bool second_word = high == (__BYTE_ORDER == __LITTLE_ENDIAN);

	return second_word ? offset + 4 : offset;
}

static label put_word_equal(struct code *code, uint32_t offset, uint32_t mask, uint32_t value,
			    label yes, label no)
{
	if (value & ~mask)
		return no;
	if (!mask)
		return yes;
	put_jump(code, BPF_JEQ, value, yes, no);
	if (mask != UINT32_MAX)
		put(code, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	return put_load(code, offset);
}

static label put_equal(struct code *code, const struct seccomp_test *test, label yes, label no)
{
	label low = put_word_equal(code, arg_offset(test->arg, false), (uint32_t)test->mask,
				   (uint32_t)test->value, yes, no);

	if (!code->wide)
		return low;
	return put_word_equal(code, arg_offset(test->arg, true), (uint32_t)(test->mask >> 32),
			      (uint32_t)(test->value >> 32), low, no);
}

/* op: BPF_JGT or BPF_JGE; the high words decide unless they are equal. */
static label put_greater(struct code *code, uint16_t op, const struct seccomp_test *test, label yes,
			 label no)
{
	uint32_t high = (uint32_t)(test->value >> 32);

	put_jump(code, op, (uint32_t)test->value, yes, no);
	label low = put_load(code, arg_offset(test->arg, false));

	if (!code->wide)
		return low;
	put_jump(code, BPF_JEQ, high, low, no);
	put_jump(code, BPF_JGT, high, yes, code->count - 1);
	return put_load(code, arg_offset(test->arg, true));
}

static label put_test(struct code *code, const struct seccomp_test *test, label yes, label no)
{
	switch ((enum seccomp_op)test->op) {
	case SECCOMP_OP_EQ:
		return put_equal(code, test, yes, no);
	case SECCOMP_OP_NE:
		return put_equal(code, test, no, yes);
	case SECCOMP_OP_GE:
		return put_greater(code, BPF_JGE, test, yes, no);
	case SECCOMP_OP_LT:
		return put_greater(code, BPF_JGE, test, no, yes);
	case SECCOMP_OP_GT:
		return put_greater(code, BPF_JGT, test, yes, no);
	case SECCOMP_OP_LE:
		return put_greater(code, BPF_JGT, test, no, yes);
	}
	abort();
}

/* From the last case to the first, because writing goes backwards. */
static label put_cases(struct code *code, const struct seccomp_span *span)
{
	label next = put_return(code, span->action);
	uint32_t i = span->last_case;

	while (i != SECCOMP_NO_CASE) {
		const struct seccomp_case *c = &code->source->cases[i];
		label yes = put_return(code, c->action);

		for (uint32_t t = c->tests_count; t-- > 0;)
			yes = put_test(code, &code->source->tests[c->first_test + t], yes, next);
		next = yes;
		i = c->before;
	}
	return next;
}

/* A single number between two spans that are treated alike needs one JEQ instead of two JGE. */
static bool is_island(const struct seccomp_span *spans, size_t count)
{
	return count >= 3 && spans[2].first - spans[1].first == 1 &&
	       spans[0].action == spans[2].action && spans[0].last_case == SECCOMP_NO_CASE &&
	       spans[2].last_case == SECCOMP_NO_CASE;
}

/* The tree's leaves: `starts` are indices of spans, one more than there are leaves. */
static label put_leaf(struct code *code, const struct seccomp_span *spans, const uint32_t *starts)
{
	const struct seccomp_span *span = &spans[starts[0]];

	if (starts[1] - starts[0] == 1)
		return put_cases(code, span);
	label around = put_return(code, span->action);
	label on = put_cases(code, &span[1]);

	put_jump(code, BPF_JEQ, span[1].first, on, around);
	return code->count - 1;
}

static label put_tree(struct code *code, const struct seccomp_span *spans, const uint32_t *starts,
		      size_t leaves)
{
	if (leaves == 1)
		return put_leaf(code, spans, starts);
	size_t half = leaves / 2;
	label right = put_tree(code, spans, starts + half, leaves - half);
	label left = put_tree(code, spans, starts, half);

	put_jump(code, BPF_JGE, spans[starts[half]].first, right, left);
	return code->count - 1;
}

static int put_section(struct code *code, const struct seccomp_section *section, label *ret)
{
	uint32_t *starts = calloc(section->spans_count + 1, sizeof(*starts));
	size_t leaves = 0, i = 0;

	if (!starts)
		return -ENOMEM;
	while (i < section->spans_count) {
		starts[leaves++] = (uint32_t)i;
		i += is_island(&section->spans[i], section->spans_count - i) ? 3 : 1;
	}
	starts[leaves] = (uint32_t)i;
	code->wide = section->wide;
	label root = put_tree(code, section->spans, starts, leaves);

	/* A lone leaf that compares no number returns or loads by itself. */
	if (leaves > 1 || starts[1] > 1)
		root = put_load(code, offsetof(struct seccomp_data, nr));
	free(starts);
	*ret = root;
	return 0;
}

static int put_program(struct code *code)
{
	const struct seccomp_source *source = code->source;
	label roots[SECCOMP_SECTIONS_MAX];

	for (size_t i = source->sections_count; i-- > 0;) {
		int r = put_section(code, &source->sections[i], &roots[i]);

		if (r < 0)
			return r;
	}
	label next = put_return(code, source->foreign_action);

	for (size_t i = source->sections_count; i-- > 0;) {
		put_jump(code, BPF_JEQ, source->sections[i].audit_arch, roots[i], next);
		next = code->count - 1;
	}
	put_load(code, offsetof(struct seccomp_data, arch));
	return 0;
}

int seccomp_filter_build(const struct seccomp_source *source, struct sock_filter **ret,
			 unsigned short *ret_count, struct err *err)
{
	_cleanup_free_ struct sock_filter *reversed =
		reallocarray(NULL, BPF_MAXINSNS, sizeof(*reversed));
	struct code code = { .source = source, .insns = reversed };

	assert(source->sections_count > 0 && source->sections_count <= SECCOMP_SECTIONS_MAX);
	if (!reversed || put_program(&code) < 0)
		return err_set(err, ENOMEM, "compile the seccomp filter");
	if (code.full)
		return err_say(
			err, E2BIG,
			"the filter needs more than the %d instructions that the kernel takes",
			BPF_MAXINSNS);
	struct sock_filter *program = malloc(code.count * sizeof(*program));

	if (!program)
		return err_set(err, ENOMEM, "compile the seccomp filter");
	for (label i = 0; i < code.count; i++)
		program[i] = reversed[code.count - 1 - i];
	*ret = program;
	*ret_count = (unsigned short)code.count;
	return 0;
}
