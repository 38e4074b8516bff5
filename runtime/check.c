/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/check.h"

#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#define ID_MAPS_MAX 340

static bool has(const struct oci_config *c, enum oci_namespace_type type)
{
	return c->namespaces[type].present;
}

static bool makes(const struct oci_config *c, enum oci_namespace_type type)
{
	return has(c, type) && !c->namespaces[type].path;
}

static int check_scheduler(const struct oci_scheduler *s, const char *path, struct err *err)
{
	if (s->priority && s->policy != SCHED_FIFO && s->policy != SCHED_RR)
		return err_say(err, EINVAL,
			       "%sscheduler: scheduler.priority can only be specified for "
			       "SchedFIFO or SchedRR policy",
			       path);
	if ((s->runtime_ns || s->deadline_ns || s->period_ns) && s->policy != SCHED_DEADLINE)
		return err_say(err, EINVAL,
			       "%sscheduler: scheduler runtime/deadline/period can only be "
			       "specified for SchedDeadline policy",
			       path);
	return 0;
}

/* The kernel knows no effective capability beside the permitted ones. */
static int check_capabilities(const struct oci_capabilities *caps, const char *path,
			      struct err *err)
{
	uint64_t beside = caps->effective & ~caps->permitted;

	if (!beside)
		return 0;
	return err_say(err, EINVAL, "%scapabilities.effective: %s is not among the permitted ones",
		       path, oci_capability_name(__builtin_ctzll(beside)));
}

int check_process(const struct oci_process *p, const char *path, struct err *err)
{
	if (!p->args || p->args_count == 0 || !p->args[0])
		return err_say(err, EINVAL, "%sargs: args must not be empty", path);
	if (p->args[0][0] == '\0')
		return err_say(err, EINVAL,
			       "%sargs[0]: exec: \"\": executable file not found in $PATH", path);
	if (!p->cwd || p->cwd[0] == '\0')
		return err_say(err, EINVAL, "%scwd: Cwd property must not be empty", path);
	if (p->cwd[0] != '/')
		return err_say(err, EINVAL, "%scwd: Cwd must be an absolute path, '%s' is none",
			       path, p->cwd);
	err_try(check_capabilities(&p->capabilities, path, err));
	return check_scheduler(&p->scheduler, path, err);
}

static int check_names(const struct oci_config *c, struct err *err)
{
	if (c->hostname && c->hostname[0] && !has(c, OCI_NS_UTS))
		return err_say(
			err, EINVAL,
			"hostname: needs a uts namespace in linux.namespaces, else it would rename the host");
	if (c->domainname && c->domainname[0] && !has(c, OCI_NS_UTS))
		return err_say(
			err, EINVAL,
			"domainname: needs a uts namespace in linux.namespaces, else it would rename the host");
	if (c->hostname && strlen(c->hostname) > 64)
		return err_say(err, EINVAL, "hostname: longer than the kernel's 64 bytes");
	if (c->domainname && strlen(c->domainname) > 64)
		return err_say(err, EINVAL, "domainname: longer than the kernel's 64 bytes");
	return 0;
}

static int check_mount_namespace(const struct oci_config *c, struct err *err)
{
	if (!has(c, OCI_NS_MOUNT))
		return err_say(
			err, EINVAL,
			"linux.namespaces: a mount namespace is missing; a container without its own root is not supported");
	return 0;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t a_size, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

/* The kernel's own EINVAL for any of these would say nothing. */
static int check_maps(const char *field, const struct oci_id_map *maps, size_t count,
		      struct err *err)
{
	if (count > ID_MAPS_MAX)
		return err_say(err, EINVAL, "linux.%s: more than the kernel's %d", field,
			       ID_MAPS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct oci_id_map *a = &maps[i];

		if ((uint64_t)a->container_id + a->size > UINT32_MAX ||
		    (uint64_t)a->host_id + a->size > UINT32_MAX)
			return err_say(err, EINVAL, "linux.%s[%zu]: reaches beyond the last id",
				       field, i);
		for (size_t k = 0; k < i; k++) {
			const struct oci_id_map *b = &maps[k];

			if (overlap(a->container_id, b->container_id, a->size, b->size) ||
			    overlap(a->host_id, b->host_id, a->size, b->size))
				return err_say(err, EINVAL,
					       "linux.%s[%zu]: maps an id that [%zu] maps already",
					       field, i, k);
		}
	}
	return 0;
}

static int check_users(const struct oci_config *c, struct err *err)
{
	bool maps = c->uid_maps_count > 0 || c->gid_maps_count > 0;

	err_try(check_maps("uidMappings", c->uid_maps, c->uid_maps_count, err));
	err_try(check_maps("gidMappings", c->gid_maps, c->gid_maps_count, err));
	if (maps && !has(c, OCI_NS_USER))
		return err_say(err, EINVAL, "linux.%s: needs a user namespace in linux.namespaces",
			       c->uid_maps_count > 0 ? "uidMappings" : "gidMappings");
	if (makes(c, OCI_NS_USER) && c->uid_maps_count == 0)
		return err_say(err, EINVAL,
			       "linux.uidMappings: missing, and a new user namespace needs it");
	if (makes(c, OCI_NS_USER) && c->gid_maps_count == 0)
		return err_say(err, EINVAL,
			       "linux.gidMappings: missing, and a new user namespace needs it");
	return 0;
}

static const char *inner_name(const struct oci_net_device *d)
{
	return d->name ? d->name : d->host_name;
}

static int check_net_devices(const struct oci_config *c, struct err *err)
{
	if (c->net_devices_count > 0 && !has(c, OCI_NS_NETWORK))
		return err_say(err, EINVAL,
			       "linux.netDevices: needs a network namespace in linux.namespaces, "
			       "which they could move into");
	for (size_t i = 0; i < c->net_devices_count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strchr(inner_name(&c->net_devices[i]), '%') &&
			    strcmp(inner_name(&c->net_devices[i]),
				   inner_name(&c->net_devices[j])) == 0)
				return err_say(err, EINVAL,
					       "linux.netDevices.%s: %s is the name of another one "
					       "of them",
					       c->net_devices[i].host_name,
					       inner_name(&c->net_devices[i]));
	return 0;
}

int check_config(const struct oci_config *c, struct err *err)
{
	if (!c->has_process)
		return err_say(err, EINVAL, "process property must not be empty");
	err_try(check_process(&c->process, "process.", err));
	err_try(check_names(c, err));
	err_try(check_mount_namespace(c, err));
	err_try(check_net_devices(c, err));
	return check_users(c, err);
}
