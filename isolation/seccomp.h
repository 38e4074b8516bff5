/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters as finished BPF. The default profile (Docker's list of allowed calls, ENOSYS for
 * calls newer than it) is compiled when Cellar is built; other profiles are compiled by libseccomp
 * in the caller, long before the clone, with our own prologue in front: wrong architecture is
 * killed, calls above the highest known one get ENOSYS.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "base/err.h"
#include "spec/oci_config.h"

struct seccomp_program {
	struct sock_filter *filter; /* owned, unless is_static */
	unsigned short count;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
	int is_static;
};

/*
 * The default profile for a set of capabilities (bit n is capability n), as Docker's profile opens
 * calls by capability. No work: a table made at build time.
 */
int seccomp_default(uint64_t capabilities, struct seccomp_program *ret, struct err *err);

/*
 * Any profile. Errors name the JSON path below "linux.seccomp". cache_dir: a folder of compiled
 * filters named by content, or NULL.
 */
int seccomp_compile(const struct oci_seccomp *profile, const char *cache_dir,
		    struct seccomp_program *ret, struct err *err);

void seccomp_deinit(struct seccomp_program *program);
