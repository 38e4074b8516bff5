/* SPDX-License-Identifier: Apache-2.0 */
/* The words of linux.seccomp and what they mean to the kernel. All return 0 or -EINVAL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/seccomp.h>

#include "isolation/seccomp_filter.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

int seccomp_action_parse(const char *name, uint32_t *ret_action); /* SECCOMP_RET_*, no data */

/* *ret_masked: "value" is the mask and "valueTwo" the value. */
int seccomp_op_parse(const char *name, enum seccomp_op *ret_op, bool *ret_masked);

int seccomp_flag_parse(const char *name, uint32_t *ret_flag); /* SECCOMP_FILTER_FLAG_* */

/* All words of a kind, by index from 0; NULL behind the last. */
const char *seccomp_action_name(size_t index);
const char *seccomp_op_name(size_t index);
const char *seccomp_flag_name(size_t index);

/* "SCMP_ARCH_*" of any machine. */
bool seccomp_arch_is_known(const char *name);
