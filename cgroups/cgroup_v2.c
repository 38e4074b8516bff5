/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of cgroup v2, a function for each controller. */
#include "cgroups/cgroup_v2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cgroups/cgroup_limit.h"
#include "cgroups/cgroup_lists.h"

/*
 * As runc since 1.3.2 and crun since 1.23: 2, 1024 and 262144, the least, the default and the most
 * of v1, become 1, 100 and 10000, those of v2, by a curve of the second degree between the
 * logarithms. (The linear formula of before gave the default a weight of 39.)
 */
uint64_t cgroup_weight_of_shares(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34));
}

/* 10 to 1000 become 1 to 10000. */
uint64_t cgroup_weight_of_blkio(uint32_t weight)
{
	if (weight < 10)
		weight = 10;
	if (weight > 1000)
		weight = 1000;
	return 1 + (uint64_t)(weight - 10) * 9999 / 990;
}

static int64_t read_number(const struct cgroup_target *t, const char *file)
{
	char text[64];

	if (cgroup_file_read(t->cgroup, t->hierarchy, file, text, sizeof(text)) < 0 ||
	    strcmp(text, "max") == 0)
		return -1;
	return strtoll(text, NULL, 10);
}

/* memory.swap counts memory in, memory.swap.max does not. */
static int swap_setting(const struct cgroup_target *t, const struct oci_memory *m,
			struct cgroup_setting *ret, struct err *err)
{
	int64_t limit = -1, swap = m->swap.value;

	if (cgroup_given(m->limit))
		limit = m->limit.value;
	else if (!t->fresh)
		limit = read_number(t, "memory.max");
	if (swap > 0 && limit < 0)
		return cgroup_limit_bad("memory.swap", err, EINVAL,
					"it includes memory.limit, which is missing");
	if (swap > 0 && swap < limit)
		return cgroup_limit_bad("memory.swap", err, EINVAL,
					"%" PRId64 " is less than memory.limit, which it includes",
					swap);
	*ret = cgroup_setting_i64("memory.swap", "memory.swap.max", swap < 0 ? -1 : swap - limit,
				  "max");
	return 0;
}

static int set_swap(const struct cgroup_target *t, const struct oci_memory *m, struct err *err)
{
	struct cgroup_setting s = { 0 };
	int r = 0;

	if (cgroup_given(m->swap))
		r = swap_setting(t, m, &s, err);
	else if (cgroup_given(m->limit) && m->limit.value < 0 && !t->fresh)
		s = cgroup_setting_i64("memory.limit", "memory.swap.max", -1, "max");
	if (r < 0)
		return r;
	r = cgroup_limit_set(t, &s, err);
	/* A kernel that counts no swap has no such file; then no limit is all there is. */
	if (r == -EOPNOTSUPP && (strcmp(s.value, "max") == 0 || strcmp(s.value, "0") == 0) &&
	    cgroup_v2_require(t->cgroup, t->controller, s.field, NULL) == 0) {
		log_debug("this host does not count swap; memory.swap is not enforced");
		err_clear(err);
		r = 0;
	}
	return r;
}

/* v2 would kill where v1 refuses. */
static int check_usage(const struct cgroup_target *t, const struct oci_memory *m, struct err *err)
{
	int64_t usage;

	if (t->fresh || !m->check_before_update.set || !m->check_before_update.value ||
	    m->limit.value < 0)
		return 0;
	usage = read_number(t, "memory.current");
	if (usage > m->limit.value)
		return cgroup_limit_bad("memory.limit", err, EBUSY,
					"%" PRId64 " bytes is less than the %" PRId64
					" the container uses",
					m->limit.value, usage);
	return 0;
}

static int apply_memory(const struct cgroup_target *t, const struct oci_resources *res,
			struct err *err)
{
	const struct oci_memory *m = &res->memory;
	struct cgroup_setting s;
	int r = set_swap(t, m, err);

	if (r == 0 && cgroup_given(m->limit)) {
		s = cgroup_setting_i64("memory.limit", "memory.max", m->limit.value, "max");
		r = check_usage(t, m, err);
		if (r == 0)
			r = cgroup_limit_set(t, &s, err);
	}
	if (r == 0 && cgroup_given(m->reservation)) {
		s = cgroup_setting_i64("memory.reservation", "memory.low", m->reservation.value,
				       "max");
		r = cgroup_limit_set(t, &s, err);
	}
	if (m->swappiness.set)
		log_warn("linux.resources.memory.swappiness: cgroup v2 has none; ignored");
	if (m->disable_oom_killer.set && m->disable_oom_killer.value)
		log_warn("linux.resources.memory.disableOOMKiller: not in cgroup v2; ignored");
	return r;
}

/* cpu.max is "QUOTA PERIOD"; one number alone is the quota and keeps the period. */
static int set_bandwidth(const struct cgroup_target *t, const struct oci_cpu *cpu, struct err *err)
{
	struct cgroup_setting s = { .field = "cpu.quota", .file = "cpu.max" };
	char quota[64] = "max";

	if (!cgroup_given(cpu->quota_us) && !cgroup_given_u(cpu->period_us))
		return 0;
	if (cgroup_given(cpu->quota_us) && cpu->quota_us.value > 0) {
		snprintf(quota, sizeof(quota), "%" PRId64, cpu->quota_us.value);
	} else if (!cgroup_given(cpu->quota_us)) {
		s.field = "cpu.period";
		if (!t->fresh &&
		    cgroup_file_read(t->cgroup, t->hierarchy, "cpu.max", quota, sizeof(quota)) > 0)
			quota[strcspn(quota, " ")] = '\0';
	}
	if (cgroup_given_u(cpu->period_us))
		snprintf(s.value, sizeof(s.value), "%.30s %" PRIu64, quota, cpu->period_us.value);
	else
		snprintf(s.value, sizeof(s.value), "%.30s", quota);
	return cgroup_limit_set(t, &s, err);
}

static int set_bandwidth_and_burst(const struct cgroup_target *t, const struct oci_cpu *cpu,
				   struct err *err)
{
	struct cgroup_setting s;
	int r = 0;

	if (cpu->burst_us.set && !t->fresh) {
		/* The old burst must not stand in the way of a new, smaller quota. */
		s = cgroup_setting_u64("cpu.burst", "cpu.max.burst", 0);
		r = cgroup_limit_set(t, &s, err);
	}
	if (r == 0)
		r = set_bandwidth(t, cpu, err);
	if (r == 0 && cpu->burst_us.set) {
		s = cgroup_setting_u64("cpu.burst", "cpu.max.burst", cpu->burst_us.value);
		r = cgroup_limit_set(t, &s, err);
	}
	return r;
}

static int apply_cpu(const struct cgroup_target *t, const struct oci_resources *res,
		     struct err *err)
{
	const struct oci_cpu *cpu = &res->cpu;
	struct cgroup_setting s;
	int r = 0;

	if (cgroup_given(cpu->realtime_runtime_us) || cgroup_given_u(cpu->realtime_period_us))
		log_warn(
			"linux.resources.cpu.realtimeRuntime, realtimePeriod: cgroup v2 has no realtime limits; ignored");
	if (cpu->idle.set) {
		s = cgroup_setting_i64("cpu.idle", "cpu.idle", cpu->idle.value, "-1");
		r = cgroup_limit_set(t, &s, err);
	}
	/* An idle group has the least weight of all, and the kernel lets nobody change it. */
	if (r == 0 && cgroup_given_u(cpu->shares) && !(cpu->idle.set && cpu->idle.value == 1)) {
		s = cgroup_setting_u64("cpu.shares", "cpu.weight",
				       cgroup_weight_of_shares(cpu->shares.value));
		r = cgroup_limit_set(t, &s, err);
	}
	return r < 0 ? r : set_bandwidth_and_burst(t, cpu, err);
}

/* BFQ's own weight has blkio's range. */
static int apply_io(const struct cgroup_target *t, const struct oci_resources *res, struct err *err)
{
	struct cgroup_setting s =
		cgroup_setting_u64("blockIO.weight", "io.bfq.weight", res->blkio_weight.value);

	if (!cgroup_file_exists(t->cgroup, t->hierarchy, s.file))
		s = cgroup_setting_u64("blockIO.weight", "io.weight",
				       cgroup_weight_of_blkio(res->blkio_weight.value));
	if (res->blkio_weight.set && res->blkio_weight.value)
		err_try(cgroup_limit_set(t, &s, err));
	return cgroup_lists_io_v2(t, res, err);
}

cgroup_limit_apply *const cgroup_limits_v2[CGROUP_CONTROLLERS] = {
	[CGROUP_CPU] = apply_cpu,
	[CGROUP_MEMORY] = apply_memory,
	[CGROUP_CPUSET] = cgroup_limit_cpuset,
	[CGROUP_PIDS] = cgroup_limit_pids,
	[CGROUP_IO] = apply_io,
	[CGROUP_HUGETLB] = cgroup_lists_hugetlb_v2,
	[CGROUP_RDMA] = cgroup_lists_rdma,
};
