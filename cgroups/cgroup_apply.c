/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources, applied: finds the hierarchy and the writer for each controller. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "cgroups/cgroup_devices.h"
#include "cgroups/cgroup_limit.h"
#include "cgroups/cgroup_unit.h"

static const char *memory_field(const struct oci_resources *res)
{
	const struct oci_memory *m = &res->memory;

	return cgroup_given(m->limit)	      ? "memory.limit"
	       : cgroup_given(m->swap)	      ? "memory.swap"
	       : cgroup_given(m->reservation) ? "memory.reservation"
	       : m->swappiness.set	      ? "memory.swappiness"
	       : m->disable_oom_killer.set && m->disable_oom_killer.value
		       ? "memory.disableOOMKiller"
		       : NULL;
}

static const char *cpu_field(const struct oci_resources *res)
{
	const struct oci_cpu *c = &res->cpu;

	return cgroup_given_u(c->shares)	       ? "cpu.shares"
	       : cgroup_given(c->quota_us)	       ? "cpu.quota"
	       : cgroup_given_u(c->period_us)	       ? "cpu.period"
	       : c->burst_us.set		       ? "cpu.burst"
	       : c->idle.set			       ? "cpu.idle"
	       : cgroup_given(c->realtime_runtime_us)  ? "cpu.realtimeRuntime"
	       : cgroup_given_u(c->realtime_period_us) ? "cpu.realtimePeriod"
						       : NULL;
}

static const char *cpuset_field(const struct oci_resources *res)
{
	return res->cpu.cpus && *res->cpu.cpus	 ? "cpu.cpus"
	       : res->cpu.mems && *res->cpu.mems ? "cpu.mems"
						 : NULL;
}

static const char *pids_field(const struct oci_resources *res)
{
	return cgroup_given(res->pids_limit) ? "pids.limit" : NULL;
}

static const char *io_field(const struct oci_resources *res)
{
	const struct oci_block_io *io = &res->block_io;

	if (res->blkio_weight.set && res->blkio_weight.value)
		return "blockIO.weight";
	if (io->leaf_weight.set && io->leaf_weight.value)
		return "blockIO.leafWeight";
	if (io->weight_devices_count > 0)
		return "blockIO.weightDevice";
	for (int kind = 0; kind < OCI_THROTTLES; kind++)
		if (io->throttles_count[kind] > 0)
			return "blockIO";
	return NULL;
}

static const char *hugetlb_field(const struct oci_resources *res)
{
	return res->hugepages_count > 0 ? "hugepageLimits" : NULL;
}

static const char *rdma_field(const struct oci_resources *res)
{
	return res->rdma_count > 0 ? "rdma" : NULL;
}

static const char *net_class_field(const struct oci_resources *res)
{
	return res->network_class.set && res->network_class.value ? "network.classID" : NULL;
}

static const char *net_priority_field(const struct oci_resources *res)
{
	return res->priorities_count > 0 ? "network.priorities" : NULL;
}

static const struct {
	enum cgroup_controller controller;
	const char *(*first_field)(const struct oci_resources *res); /* that is given, or NULL */
} limits[] = {
	{ CGROUP_CPUSET, cpuset_field },
	{ CGROUP_CPU, cpu_field },
	{ CGROUP_MEMORY, memory_field },
	{ CGROUP_PIDS, pids_field },
	{ CGROUP_IO, io_field },
	{ CGROUP_HUGETLB, hugetlb_field },
	{ CGROUP_RDMA, rdma_field },
	{ CGROUP_NET_CLS, net_class_field },
	{ CGROUP_NET_PRIO, net_priority_field },
};

static int apply_controller(const struct cgroup *c, enum cgroup_controller controller,
			    const char *field, const struct oci_resources *res, struct err *err)
{
	struct cgroup_target t = { .cgroup = c, .controller = controller };
	bool v2 = c->mounts->v1[controller] < 0;

	/* What marks packets on v2 is nftables by cgroup; there is nothing to write. */
	if (v2 && c->mounts->layout == CGROUP_V2 && !cgroup_controller_name(controller, true)) {
		log_warn("linux.resources.%s: cgroup v2 has no such controller; ignored", field);
		return 0;
	}
	if (c->partial && (v2 ? c->mounts->v2 : c->mounts->v1[controller]) < 0)
		return cgroup_limit_rootless(field, cgroup_controller_name(controller, false), err);
	if (v2 && !cgroup_controller_name(controller, true))
		return cgroup_limit_bad(field, err, EOPNOTSUPP,
					"the %s controller is not mounted on this host",
					cgroup_controller_name(controller, false));
	t.hierarchy = v2 ? c->mounts->v2 : c->mounts->v1[controller];
	if (t.hierarchy < 0)
		return cgroup_limit_bad(field, err, EOPNOTSUPP,
					"the %s controller is not mounted on this host",
					cgroup_controller_name(controller, false));
	t.fresh = cgroup_is_fresh(c, t.hierarchy);
	return (v2 ? cgroup_limits_v2 : cgroup_limits_v1)[controller](&t, res, err);
}

int cgroup_limit_cpuset(const struct cgroup_target *t, const struct oci_resources *res,
			struct err *err)
{
	struct cgroup_setting cpus = { .file = "cpuset.cpus", .text = res->cpu.cpus };
	struct cgroup_setting mems = { .file = "cpuset.mems", .text = res->cpu.mems };
	int r;

	if (cpus.text && *cpus.text)
		cpus.field = "cpu.cpus";
	if (mems.text && *mems.text)
		mems.field = "cpu.mems";
	r = cgroup_limit_set(t, &cpus, err);
	return r < 0 ? r : cgroup_limit_set(t, &mems, err);
}

int cgroup_limit_pids(const struct cgroup_target *t, const struct oci_resources *res,
		      struct err *err)
{
	struct cgroup_setting s =
		cgroup_setting_i64("pids.limit", "pids.max", res->pids_limit.value, "max");

	return cgroup_limit_set(t, &s, err);
}

/* A value may have several lines, as io.max does; the kernel takes them one by one. */
static int apply_unified(const struct cgroup *c, const struct oci_unified *u, struct err *err)
{
	char path[CGROUP_PATH_MAX];
	_cleanup_fd_ int fd = -1;

	if (c->partial && c->mounts->v2 < 0)
		return cgroup_limit_rootless("unified", u->key, err);
	if (c->mounts->v2 < 0)
		return err_say(err, EOPNOTSUPP,
			       "linux.resources.unified[\"%s\"]: this host has no cgroup v2",
			       u->key);
	if (!path_is_name(u->key))
		return err_say(err, EINVAL,
			       "linux.resources.unified[\"%s\"]: must be a file name (no slashes)",
			       u->key);
	cgroup_file_path(c, c->mounts->v2, u->key, path);
	fd = cgroup_file_open(c, c->mounts->v2, u->key, O_WRONLY);
	if (fd == -ENOENT && !cgroup_file_exists(c, c->mounts->v2, u->key))
		return err_say(err, ENOENT,
			       "linux.resources.unified: unified resource \"%s\" can't be set: "
			       "controller \"%.*s\" not available (there is no %s)",
			       u->key, (int)strcspn(u->key, "."), u->key, path);
	if (fd < 0) {
		err_set(err, -fd, "open %s", path);
		return err_add(err, "linux.resources.unified[\"%s\"]", u->key);
	}
	for (const char *line = u->value; *line;) {
		size_t len = strcspn(line, "\n");

		if (len > 0 && write(fd, line, len) < 0) {
			err_set(err, errno, "write '%.*s' to %s", (int)len, line, path);
			return err_add(err, "unable to set unified resource \"%s\"", u->key);
		}
		line += len + (line[len] == '\n');
	}
	return 0;
}

/* Whether all that is given says "no limit", which is so without the controller. */
static bool only_lifts(enum cgroup_controller controller, const struct oci_resources *res)
{
	const struct oci_memory *m = &res->memory;
	const struct oci_cpu *c = &res->cpu;

	switch (controller) {
	case CGROUP_PIDS:
		return res->pids_limit.value < 0;
	case CGROUP_MEMORY:
		return m->limit.value <= 0 && m->swap.value <= 0 && m->reservation.value <= 0 &&
		       !m->swappiness.set && !m->disable_oom_killer.value;
	case CGROUP_CPU:
		return c->quota_us.value <= 0 && !cgroup_given_u(c->shares) && !c->burst_us.value &&
		       !c->idle.value && !cgroup_given(c->realtime_runtime_us) &&
		       !cgroup_given_u(c->realtime_period_us);
	default:
		return false;
	}
}

static int apply_files(struct cgroup *cgroup, const struct oci_resources *resources,
		       struct err *err)
{
	int r = cgroup_devices_apply(cgroup, resources->devices, resources->devices_count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const char *field = limits[i].first_field(resources);

		r = field ? apply_controller(cgroup, limits[i].controller, field, resources, err)
			  : 0;
		if (r == -EOPNOTSUPP && only_lifts(limits[i].controller, resources)) {
			log_debug("linux.resources.%s: this host cannot limit it anyway", field);
			err_clear(err);
			r = 0;
		}
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < resources->unified_count; i++) {
		r = apply_unified(cgroup, &resources->unified[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * The kernel judges first, and says what is wrong with which field. Then systemd is told, and as it
 * writes some numbers rounded, what was asked for is written once more.
 */
static int update(struct cgroup *cgroup, const struct oci_resources *resources, struct err *err)
{
	int r;

	err_try(apply_files(cgroup, resources, err));
	r = cgroup_unit_update(cgroup, resources, err);
	return r > 0 ? apply_files(cgroup, resources, err) : r;
}

int cgroup_apply(struct cgroup *cgroup, const struct oci_resources *resources, struct err *err)
{
	struct oci_resources now = *resources;

	if (cgroup->unit[0] && !cgroup->created)
		return update(cgroup, resources, err);
	/* The placeholder counts. */
	if (cgroup->one_process)
		now.pids_limit.set = false;
	return apply_files(cgroup, &now, err);
}
