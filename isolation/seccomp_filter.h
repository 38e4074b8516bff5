/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters as classic BPF, from ranges of call numbers.
 *
 * An architecture's numbers are cut into spans, each with one action and perhaps with cases that
 * look at arguments first. The program is a balanced tree of comparisons over the spans: few
 * instructions to load, and few to run for each of the numbers that the kernel tries at load time
 * to find the calls it may let pass without running the filter (seccomp's action cache).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "base/err.h"

enum seccomp_op {
	SECCOMP_OP_EQ, /* (argument & mask) == value */
	SECCOMP_OP_NE, /* (argument & mask) != value */
	SECCOMP_OP_LT, /* the rest without the mask, unsigned */
	SECCOMP_OP_LE,
	SECCOMP_OP_GE,
	SECCOMP_OP_GT,
};

struct seccomp_test {
	uint64_t value, mask;
	uint8_t arg; /* 0 to 5 */
	uint8_t op;  /* enum seccomp_op */
};

/* Taken when all of its tests hold. Cases of a call are a list from the last to try to the first.
 */
struct seccomp_case {
	uint32_t action; /* SECCOMP_RET_* with its data */
	uint32_t first_test, tests_count;
	uint32_t before; /* index of the case to try before this one, or SECCOMP_NO_CASE */
};

#define SECCOMP_NO_CASE UINT32_MAX

/* Numbers from `first` up to the next span's; the last one reaches to 2^32 - 1. */
struct seccomp_span {
	uint32_t first;
	uint32_t action;    /* where no case is taken */
	uint32_t last_case; /* or SECCOMP_NO_CASE */
};

struct seccomp_section {
	uint32_t audit_arch; /* AUDIT_ARCH_* */
	bool wide;	     /* arguments have 64 bits; else only the low 32 are looked at */
	const struct seccomp_span *spans; /* ascending, the first one starts at 0 */
	size_t spans_count;
};

#define SECCOMP_SECTIONS_MAX 4

struct seccomp_source {
	const struct seccomp_section *sections; /* the most frequent first */
	size_t sections_count;
	const struct seccomp_case *cases;
	const struct seccomp_test *tests;
	uint32_t foreign_action; /* for an architecture that is none of the sections' */
};

/*
 * Compiles. The program is owned by the caller (free). -E2BIG where it would be longer than the
 * 4,096 instructions the kernel takes, -ENOMEM.
 */
int seccomp_filter_build(const struct seccomp_source *source, struct sock_filter **ret,
			 unsigned short *ret_count, struct err *err);
