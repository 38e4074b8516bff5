/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shall happen to each call of each ABI: rules are added one by one, then the table becomes a
 * filter. Rules meet as they do in libseccomp, which profiles were written for: a rule without
 * conditions beats all conditional ones of its call, and the first of them wins; conditional ones
 * are tried in the order in which they came.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "isolation/seccomp_filter.h"

#define SECCOMP_ABI_MAX 4
#define SECCOMP_NR_MAX 1024 /* numbers of an ABI, above its base, are smaller */

/*
 * A numbering of calls. Several share an architecture as the kernel reports it: x32 is x86-64 with
 * a bit set, ARM's private calls start at 0xf0000. Bases of one architecture ascend.
 */
struct seccomp_abi {
	const char *name;     /* "x86_64", as profiles of ours say */
	const char *oci_name; /* "SCMP_ARCH_X86_64"; ABIs with the same name go together */
	uint32_t audit_arch;
	uint32_t base;
	bool wide; /* arguments have 64 bits */
};

struct seccomp_table;

/* abis: the first is the native one. NULL when out of memory. */
struct seccomp_table *seccomp_table_new(const struct seccomp_abi *abis, size_t abis_count);
struct seccomp_table *seccomp_table_free(struct seccomp_table *table);

/* nr: below SECCOMP_NR_MAX, without the ABI's base. 0 or -ENOMEM. */
int seccomp_table_add(struct seccomp_table *table, size_t abi, uint32_t nr, uint32_t action,
		      const struct seccomp_test *tests, size_t tests_count);

/* The number is one the profile knows: it gets the default action, never the newer one. */
void seccomp_table_know(struct seccomp_table *table, size_t abi, uint32_t nr);

struct seccomp_defaults {
	uint32_t abis;	  /* bit n: abis[n] is open */
	uint32_t action;  /* of calls without a rule */
	uint32_t newer;	  /* of calls above the highest one known, if any is */
	uint32_t closed;  /* of the calls of an ABI that is not open */
	uint32_t foreign; /* of other architectures */
};

int seccomp_table_compile(const struct seccomp_table *table,
			  const struct seccomp_defaults *defaults, struct sock_filter **ret,
			  unsigned short *ret_count, struct err *err);

CLEANUP_DEFINE(struct seccomp_table, seccomp_table, seccomp_table_free);
#define _cleanup_seccomp_table_ _cleanup_(cleanup_seccomp_table)
