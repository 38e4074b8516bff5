/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/create_cgroup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cgroups/systemd_unit.h"
#include "runtime/annotations.h"

static void warn_of_limits(const struct oci_resources *r)
{
	if (r->memory.limit.set || r->memory.swap.set || r->memory.reservation.set ||
	    r->pids_limit.set || r->cpu.quota_us.set || r->cpu.shares.set || r->cpu.cpus ||
	    r->unified_count > 0)
		log_warn("linux.resources: no limit is set, because --cgroup-manager is disabled");
}

enum container_cgroups create_cgroup_maker(enum container_cgroups who,
					   const struct oci_config *config)
{
	if (who != CONTAINER_CGROUP_BY_PATH)
		return who;
	/* sd_booted(3) asks the same. */
	return systemd_unit_is_meant(config->cgroups_path) &&
			       access("/run/systemd/system", F_OK) == 0
		       ? CONTAINER_SYSTEMD
		       : CONTAINER_CGROUPFS;
}

int create_cgroup(enum container_cgroups who, bool rootless, const struct oci_config *config,
		  const char *id, struct cgroup **ret, struct err *err)
{
	struct cgroup_unit_options unit = {
		.resources = &config->resources,
		.annotations = config->annotations,
		.annotations_count = config->annotations_count,
		.subgroup = oci_config_annotation(config, ANNOTATION_SUBGROUP),
	};

	switch (who) {
	case CONTAINER_NO_CGROUP:
		warn_of_limits(&config->resources);
		return cgroup_create_none(ret, err);
	case CONTAINER_SYSTEMD:
		return cgroup_create_unit(config->cgroups_path, id, &unit, ret, err);
	default:
		return rootless ? cgroup_create_rootless(config->cgroups_path, id, ret, err)
				: cgroup_create(config->cgroups_path, id, ret, err);
	}
}

/* The host's number for a user of the container. */
static int64_t host_uid(const struct oci_config *config, uint32_t uid)
{
	if (!config->namespaces[OCI_NS_USER].present)
		return uid;
	for (size_t i = 0; i < config->uid_maps_count; i++) {
		const struct oci_id_map *m = &config->uid_maps[i];

		if (uid >= m->container_id && uid - m->container_id < m->size)
			return (int64_t)m->host_id + (uid - m->container_id);
	}
	return -1; /* a user namespace that is joined tells no map */
}

static bool is_writable_mount(const struct oci_mount *m)
{
	bool writable = true;

	if (!m->type || (strcmp(m->type, "cgroup") != 0 && strcmp(m->type, "cgroup2") != 0))
		return false;
	for (size_t i = 0; i < m->options_count; i++)
		if (strcmp(m->options[i], "ro") == 0 || strcmp(m->options[i], "rw") == 0)
			writable = m->options[i][1] == 'w';
	return writable;
}

static bool may_own(const struct oci_config *config)
{
	const struct oci_namespace *ns = &config->namespaces[OCI_NS_CGROUP];

	if (!ns->present || ns->path)
		return false;
	for (size_t i = 0; i < config->mounts_count; i++)
		if (is_writable_mount(&config->mounts[i]))
			return true;
	return false;
}

int create_cgroup_apply(struct cgroup *cgroup, const struct oci_config *config, struct err *err)
{
	int64_t uid = host_uid(config, config->process.user.uid);
	int r;

	err_try(cgroup_apply(cgroup, &config->resources, err));
	if (uid <= 0 || !may_own(config))
		return 0;
	r = cgroup_delegate(cgroup, (uid_t)uid, (gid_t)-1, err);
	/* An unprivileged caller owns the folder already, and has nobody else's to give. */
	if (r == -EPERM) {
		err_clear(err);
		r = 0;
	}
	return r;
}

bool create_cgroup_wants_delegate(const struct cgroup *cgroup, const struct oci_config *config)
{
	const char *name = oci_config_annotation(config, ANNOTATION_DELEGATE);

	return !cgroup_is_none(cgroup) && name && *name && cgroup_layout() == CGROUP_V2;
}

int create_cgroup_delegate(const struct cgroup *cgroup, const struct oci_config *config, pid_t pid,
			   struct err *err)
{
	const char *name = oci_config_annotation(config, ANNOTATION_DELEGATE);
	int64_t uid = host_uid(config, 0);

	if (cgroup_delegate_below(cgroup, name, pid, uid < 0 ? 0 : (uid_t)uid, err) < 0)
		return err_add(err, "annotations[\"%s\"]", ANNOTATION_DELEGATE);
	return 0;
}
