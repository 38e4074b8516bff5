/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters as finished BPF, made long before the clone. The default profile (Docker's list
 * of allowed calls or stricter, ENOSYS for calls newer than it) is compiled when Cellar is built;
 * profiles of others are compiled here in the caller, in some ten microseconds, so nothing is
 * cached. docs/seccomp.md tells what the filters do.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "base/err.h"
#include "spec/oci_config.h"

/*
 * What seccomp(SECCOMP_SET_MODE_FILTER, flags, {count, filter}) takes. With
 * SECCOMP_FILTER_FLAG_NEW_LISTENER among the flags that call returns the listener's fd, which is
 * for the profile's listenerPath.
 */
struct seccomp_program {
	struct sock_filter *filter; /* owned, unless is_static: a table's or the profile's */
	unsigned short count;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
	int is_static;
};

/*
 * The default profile for a set of capabilities (bit n is capability n), as Docker's profile opens
 * calls by capability: pass the bounding set. For the usual sets a table made at build time,
 * otherwise compiled now. Fails only when out of memory.
 */
int seccomp_default(uint64_t capabilities, struct seccomp_program *ret, struct err *err);

/*
 * Any profile, as the OCI runtime specification 1.3 describes linux.seccomp and as runc reads it:
 *
 * - unknown calls are skipped; unknown actions, operators, architectures, flags are refused;
 * - the native architecture is always covered, foreign ones that cannot occur here are left out;
 *   calls by an architecture that is not covered kill the process;
 * - where the default action refuses calls, those above the highest one named get ENOSYS;
 * - conditions on the same argument in one rule are alternatives.
 *
 * A profile with a finished program (ready_filter) gives that, unseen: the kernel judges it.
 *
 * -EINVAL with an error that names the path ("linux.seccomp.syscalls[3].action: ..."), -E2BIG
 * where the kernel would not take a program so long, -ENOMEM.
 */
int seccomp_compile(const struct oci_seccomp *profile, struct seccomp_program *ret,
		    struct err *err);

void seccomp_deinit(struct seccomp_program *program);
