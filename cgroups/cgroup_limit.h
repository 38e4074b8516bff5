/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One limit: a field of linux.resources written to a file of a controller. A failure names both.
 * The two versions of cgroups each have a table of functions, one for each controller.
 */
#pragma once

#include "cgroups/cgroup_folder.h"

/* The controller that is being set, in the hierarchy that has it. */
struct cgroup_target {
	const struct cgroup *cgroup;
	int hierarchy;
	enum cgroup_controller controller;
	bool fresh; /* nothing was set before */
};

struct cgroup_setting {
	const char *field; /* below linux.resources: "memory.limit"; NULL: nothing to set */
	const char *file;
	char value[64];
	const char *text; /* instead of value, where that may be long; or NULL */
};

/*
 * Writes a file. On v2 a missing file first has its controller enabled. -EOPNOTSUPP when the host
 * has no such controller or file.
 */
int cgroup_limit_set(const struct cgroup_target *t, const struct cgroup_setting *s,
		     struct err *err);

/*
 * Two files that bound each other: one order is right for raising them and the other for lowering,
 * so the second goes first where the kernel finds that the first makes no sense (EINVAL).
 */
int cgroup_limit_set_pair(const struct cgroup_target *t, const struct cgroup_setting *first,
			  const struct cgroup_setting *second, struct err *err);

/* Sets "linux.resources.FIELD: text". Returns -code. */
int cgroup_limit_bad(const char *field, struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a container that has no folder in the controller's hierarchy, and why. */
int cgroup_limit_rootless(const char *field, const char *controller, struct err *err);

/* A field whose zero means "not set", as every caller of an OCI runtime uses it. */
static inline bool cgroup_given(struct oci_i64 v)
{
	return v.set && v.value != 0;
}

static inline bool cgroup_given_u(struct oci_u64 v)
{
	return v.set && v.value != 0;
}

/* Number as text; a negative one is `unlimited` ("-1", "max"). */
struct cgroup_setting cgroup_setting_i64(const char *field, const char *file, int64_t value,
					 const char *unlimited);
struct cgroup_setting cgroup_setting_u64(const char *field, const char *file, uint64_t value);

/* Sets what of a controller is given. Only called when some of it is. */
typedef int cgroup_limit_apply(const struct cgroup_target *t, const struct oci_resources *res,
			       struct err *err);

/* Files that are the same in both versions. */
cgroup_limit_apply cgroup_limit_cpuset, cgroup_limit_pids;

extern cgroup_limit_apply *const cgroup_limits_v1[CGROUP_CONTROLLERS];
extern cgroup_limit_apply *const cgroup_limits_v2[CGROUP_CONTROLLERS];

/* cpu.weight (1 to 10000) for cpu.shares, io.weight for blkio.weight (10 to 1000). */
uint64_t cgroup_weight_of_shares(uint64_t shares);
uint64_t cgroup_weight_of_blkio(uint32_t weight);
