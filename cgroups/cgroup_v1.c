/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of cgroup v1, a function for each controller. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cgroups/cgroup_limit.h"
#include "cgroups/cgroup_lists.h"

/* v1 counts memory and swap together, as config.json does, and demands swap >= limit always. */
static int set_memory_and_swap(const struct cgroup_target *t, const struct oci_memory *m,
			       struct err *err)
{
	struct cgroup_setting limit = { 0 }, swap = { 0 };
	int r;

	if (cgroup_given(m->limit))
		limit = cgroup_setting_i64("memory.limit", "memory.limit_in_bytes", m->limit.value,
					   "-1");
	if (cgroup_given(m->swap))
		swap = cgroup_setting_i64("memory.swap", "memory.memsw.limit_in_bytes",
					  m->swap.value, "-1");
	else if (cgroup_given(m->limit) && m->limit.value < 0 && !t->fresh)
		swap = cgroup_setting_i64("memory.limit", "memory.memsw.limit_in_bytes", -1, "-1");
	/* A host that counts no swap has no such file; then no limit is all there is. */
	if (swap.field && (m->swap.value <= 0 || m->swap.value == m->limit.value) &&
	    !cgroup_file_exists(t->cgroup, t->hierarchy, swap.file)) {
		log_debug("this host does not count swap; memory.swap is not enforced");
		swap.field = NULL;
	}
	r = cgroup_limit_set_pair(t, &limit, &swap, err);
	if (r == -EBUSY)
		return cgroup_limit_bad(
			"memory.limit", err, EBUSY,
			"unable to set memory limit to %s: it is less than the container uses, and no more could be reclaimed",
			limit.value);
	return r;
}

static int apply_memory(const struct cgroup_target *t, const struct oci_resources *res,
			struct err *err)
{
	const struct oci_memory *m = &res->memory;
	struct cgroup_setting s;
	int r;

	if (cgroup_given(m->swap) && m->swap.value > 0 && cgroup_given(m->limit) &&
	    (m->limit.value < 0 || m->swap.value < m->limit.value))
		return cgroup_limit_bad("memory.swap", err, EINVAL,
					"%" PRId64 " is less than memory.limit, which it includes",
					m->swap.value);
	if (cgroup_given(m->swap) && m->swap.value > 0 && !cgroup_given(m->limit) && t->fresh)
		return cgroup_limit_bad("memory.swap", err, EINVAL,
					"it includes memory.limit, which is missing");
	r = set_memory_and_swap(t, m, err);
	if (r == 0 && cgroup_given(m->reservation)) {
		s = cgroup_setting_i64("memory.reservation", "memory.soft_limit_in_bytes",
				       m->reservation.value, "-1");
		r = cgroup_limit_set(t, &s, err);
	}
	if (r == 0 && m->swappiness.set && m->swappiness.value > 100)
		return cgroup_limit_bad("memory.swappiness", err, EINVAL,
					"invalid memory swappiness value: %" PRIu64
					" (valid range is 0-100)",
					m->swappiness.value);
	if (r == 0 && m->swappiness.set) {
		s = cgroup_setting_u64("memory.swappiness", "memory.swappiness",
				       m->swappiness.value);
		r = cgroup_limit_set(t, &s, err);
	}
	if (r == 0 && m->disable_oom_killer.set && (m->disable_oom_killer.value || !t->fresh)) {
		s = cgroup_setting_u64("memory.disableOOMKiller", "memory.oom_control",
				       m->disable_oom_killer.value);
		r = cgroup_limit_set(t, &s, err);
	}
	return r;
}

static int set_bandwidth(const struct cgroup_target *t, const struct oci_cpu *cpu, struct err *err)
{
	struct cgroup_setting period = { 0 }, quota = { 0 }, burst = { 0 };
	int r = 0;

	if (cgroup_given_u(cpu->period_us))
		period =
			cgroup_setting_u64("cpu.period", "cpu.cfs_period_us", cpu->period_us.value);
	if (cgroup_given(cpu->quota_us))
		quota = cgroup_setting_i64("cpu.quota", "cpu.cfs_quota_us", cpu->quota_us.value,
					   "-1");
	if (cpu->burst_us.set && !t->fresh) {
		/* The old burst must not stand in the way of a new, smaller quota. */
		burst = cgroup_setting_u64("cpu.burst", "cpu.cfs_burst_us", 0);
		r = cgroup_limit_set(t, &burst, err);
	}
	if (r == 0)
		r = cgroup_limit_set_pair(t, &period, &quota, err);
	if (r == 0 && cpu->burst_us.set) {
		burst = cgroup_setting_u64("cpu.burst", "cpu.cfs_burst_us", cpu->burst_us.value);
		r = cgroup_limit_set(t, &burst, err);
	}
	return r;
}

static int set_realtime(const struct cgroup_target *t, const struct oci_cpu *cpu, struct err *err)
{
	struct cgroup_setting period = { 0 }, runtime = { 0 };

	if (cgroup_given_u(cpu->realtime_period_us))
		period = cgroup_setting_u64("cpu.realtimePeriod", "cpu.rt_period_us",
					    cpu->realtime_period_us.value);
	if (cgroup_given(cpu->realtime_runtime_us))
		runtime = cgroup_setting_i64("cpu.realtimeRuntime", "cpu.rt_runtime_us",
					     cpu->realtime_runtime_us.value, "-1");
	return cgroup_limit_set_pair(t, &period, &runtime, err);
}

static int apply_cpu(const struct cgroup_target *t, const struct oci_resources *res,
		     struct err *err)
{
	const struct oci_cpu *cpu = &res->cpu;
	struct cgroup_setting s;
	int r = 0;

	if (cpu->idle.set) {
		s = cgroup_setting_i64("cpu.idle", "cpu.idle", cpu->idle.value, "-1");
		r = cgroup_limit_set(t, &s, err);
	}
	/* What the kernel would change without a word. */
	if (r == 0 && cgroup_given_u(cpu->shares) && cpu->shares.value < 2)
		return cgroup_limit_bad("cpu.shares", err, EINVAL,
					"the minimum allowed cpu-shares is 2");
	if (r == 0 && cgroup_given_u(cpu->shares) && cpu->shares.value > 262144)
		return cgroup_limit_bad("cpu.shares", err, EINVAL,
					"the maximum allowed cpu-shares is 262144");
	/* An idle group has the least share of all, and the kernel lets nobody change it. */
	if (r == 0 && cgroup_given_u(cpu->shares) && !(cpu->idle.set && cpu->idle.value == 1)) {
		s = cgroup_setting_u64("cpu.shares", "cpu.shares", cpu->shares.value);
		r = cgroup_limit_set(t, &s, err);
	}
	if (r == 0)
		r = set_bandwidth(t, cpu, err);
	return r < 0 ? r : set_realtime(t, cpu, err);
}

static int apply_io(const struct cgroup_target *t, const struct oci_resources *res, struct err *err)
{
	/* The BFQ scheduler has the first name, the CFQ of kernels before 5.0 the second. */
	struct cgroup_setting s =
		cgroup_setting_u64("blockIO.weight", "blkio.bfq.weight", res->blkio_weight.value);

	if (!cgroup_file_exists(t->cgroup, t->hierarchy, s.file))
		s.file = "blkio.weight";
	if (res->blkio_weight.set && res->blkio_weight.value)
		err_try(cgroup_limit_set(t, &s, err));
	return cgroup_lists_io_v1(t, res, err);
}

cgroup_limit_apply *const cgroup_limits_v1[CGROUP_CONTROLLERS] = {
	[CGROUP_CPU] = apply_cpu,
	[CGROUP_MEMORY] = apply_memory,
	[CGROUP_CPUSET] = cgroup_limit_cpuset,
	[CGROUP_PIDS] = cgroup_limit_pids,
	[CGROUP_IO] = apply_io,
	[CGROUP_HUGETLB] = cgroup_lists_hugetlb_v1,
	[CGROUP_RDMA] = cgroup_lists_rdma,
	[CGROUP_NET_CLS] = cgroup_lists_net_class,
	[CGROUP_NET_PRIO] = cgroup_lists_net_priority,
};
