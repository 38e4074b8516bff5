/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that seccomp's BPF is what the kernel would accept; isolation/seccomp_run.h runs it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "isolation/seccomp_run.h"

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
