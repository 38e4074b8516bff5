/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as a BPF program of type BPF_PROG_TYPE_CGROUP_DEVICE, which cgroup2 asks about every
 * mknod and open of a device.
 */
#pragma once

#include <linux/bpf.h>

#include "cgroups/cgroup_device_rules.h"

/* Writes the program; pure. ret: owned by the caller. -ENOMEM. */
int device_bpf_emit(const struct device_rules *list, struct bpf_insn **ret, size_t *ret_count);

/*
 * Loads it and attaches it to an open cgroup2 folder, in place of the programs that are attached
 * there already when replace is set. -EPERM (err set) where BPF is not permitted.
 */
int device_bpf_apply(int cgroup_fd, const struct device_rules *list, bool replace, struct err *err);
