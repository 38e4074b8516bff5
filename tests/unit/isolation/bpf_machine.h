/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine for seccomp's BPF, for tests: it runs filters over made-up calls and checks that they
 * are what the kernel would accept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* Forward jumps inside the program, aligned loads inside the data, a return at the end. */
static inline bool bpf_is_valid(const struct sock_filter *filter, unsigned count)
{
	if (!count || count > BPF_MAXINSNS || BPF_CLASS(filter[count - 1].code) != BPF_RET)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct sock_filter *insn = &filter[i];

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (insn->k % 4 || insn->k >= sizeof(struct seccomp_data))
				return false;
			break;
		case BPF_JMP | BPF_JA:
			if (insn->k >= count - i - 1)
				return false;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (i + 1 + insn->jt >= count || i + 1 + insn->jf >= count)
				return false;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
		case BPF_RET | BPF_K:
			break;
		default:
			return false;
		}
	}
	return true;
}

/* The filter's answer; the filter must be valid. */
static inline uint32_t bpf_run(const struct sock_filter *insn, const struct seccomp_data *data)
{
	uint32_t a = 0;
	bool holds;

	for (;; insn++) {
		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			continue;
		case BPF_JMP | BPF_JA:
			insn += insn->k;
			continue;
		case BPF_RET | BPF_K:
			return insn->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == insn->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= insn->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			holds = a > insn->k;
			break;
		default: /* JSET */
			holds = (a & insn->k) != 0;
			break;
		}
		insn += holds ? insn->jt : insn->jf;
	}
}
