/* SPDX-License-Identifier: Apache-2.0 */
/* Filters run over made-up calls: what would the kernel answer? */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

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

/*
 * Does a filter let everything pass that cellar-init does between its clone into a running
 * container and the execution? Then it is loaded before.
 */
bool seccomp_allows_exec(const struct sock_filter *filter);

/* The same from READY of a new container on. hooks, labels: also what these take. */
bool seccomp_allows_start(const struct sock_filter *filter, bool hooks, bool labels);

/* Does it let a call of that number pass, with arguments of 0? */
bool seccomp_allows_call(const struct sock_filter *filter, int nr);
