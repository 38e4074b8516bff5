/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of a plan: which are new, which are joined, and whether a stage has to join first. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>

#include "isolation/plan_builder.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

void plan_put_maps(struct plan_builder *b, const struct oci_id_map *maps, size_t count,
		   struct plan_list *ret)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct plan_map map = { .container_id = maps[i].container_id,
					.host_id = maps[i].host_id,
					.size = maps[i].size };

		strbuf_add(&records, &map, sizeof(map));
	}
	*ret = plan_put_list(b, &records, sizeof(struct plan_map));
}

static int check(const struct oci_config *c, bool rootless, struct err *err)
{
	const struct oci_namespace *ns = c->namespaces;
	bool new_user = ns[OCI_NS_USER].present && !ns[OCI_NS_USER].path;

	if (!ns[OCI_NS_MOUNT].present)
		return err_say(err, EINVAL,
			       "linux.namespaces: no mount namespace: Cellar does not change the "
			       "host's mounts; add { \"type\": \"mount\" }");
	if (rootless && !ns[OCI_NS_USER].present)
		return err_say(
			err, EPERM,
			"linux.namespaces: rootless container requires user namespaces; add "
			"{ \"type\": \"user\" } and linux.uidMappings, as `cellar spec --rootless` "
			"writes them");
	if (new_user && (c->uid_maps_count == 0 || c->gid_maps_count == 0))
		return err_say(err, EINVAL,
			       "linux.uidMappings and linux.gidMappings: a new user namespace "
			       "needs both");
	if (!ns[OCI_NS_USER].present && (c->uid_maps_count > 0 || c->gid_maps_count > 0))
		return err_say(err, EINVAL,
			       "linux.uidMappings: mean nothing without a user namespace");
	if (c->hostname && c->hostname[0] && !ns[OCI_NS_UTS].present)
		return err_say(err, EINVAL, "hostname: needs a uts namespace of the container's");
	if (c->domainname && c->domainname[0] && !ns[OCI_NS_UTS].present)
		return err_say(err, EINVAL, "domainname: needs a uts namespace of the container's");
	return 0;
}

/* As /proc/PID/timens_offsets takes it. */
static int put_time_offsets(struct plan_builder *b, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	const struct oci_config *c = b->config;
	const struct {
		const char *clock;
		const struct oci_time_offset *offset;
	} clocks[] = { { "monotonic", &c->monotonic }, { "boottime", &c->boottime } };

	if (!c->monotonic.set && !c->boottime.set)
		return 0;
	if (!c->namespaces[OCI_NS_TIME].present || c->namespaces[OCI_NS_TIME].path)
		return err_say(err, EINVAL,
			       "linux.timeOffsets: needs a new time namespace in linux.namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (clocks[i].offset->set)
			strbuf_addf(&text, "%s %" PRId64 " %u\n", clocks[i].clock,
				    clocks[i].offset->secs, clocks[i].offset->nanosecs);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "plan the time offsets");
	b->head.time_offsets = plan_put_string(b, text.data);
	b->head.flags |= PLAN_STAGE;
	return 0;
}

/* A cgroup namespace starts where its maker is; the message queues of an ipc namespace belong to
 * its maker, who has to be the root of the user namespace by then. */
static bool is_late(const struct oci_namespace *ns, enum oci_namespace_type type)
{
	return type == OCI_NS_CGROUP || (type == OCI_NS_IPC && ns[OCI_NS_USER].present);
}

int plan_put_namespaces(struct plan_builder *b, struct err *err)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };
	const struct oci_namespace *ns = b->config->namespaces;
	struct plan *head = &b->head;
	bool joins = false;

	err_try(check(b->config, b->options->rootless, err));
	for (enum oci_namespace_type type = 0; type < OCI_NS_COUNT; type++) {
		uint64_t flag = oci_namespace_flag(type);
		struct plan_namespace joined = { .flag = flag };

		if (!ns[type].present)
			continue;
		if (!ns[type].path) {
			*(is_late(ns, type) ? &head->unshare_flags : &head->clone_flags) |= flag;
			continue;
		}
		joins = true;
		joined.path = plan_put_string(b, ns[type].path);
		strbuf_add(&records, &joined, sizeof(joined));
	}
	head->namespaces = plan_put_list(b, &records, sizeof(struct plan_namespace));
	if (head->clone_flags & CLONE_NEWUSER) {
		head->flags |= PLAN_USER_NAMESPACE;
		plan_put_maps(b, b->config->uid_maps, b->config->uid_maps_count, &head->uid_maps);
		plan_put_maps(b, b->config->gid_maps, b->config->gid_maps_count, &head->gid_maps);
	}
	if (head->clone_flags & CLONE_NEWNS)
		head->flags |= PLAN_FILE_SYSTEM;
	if (head->clone_flags & CLONE_NEWNET)
		head->flags |= PLAN_LOOPBACK;
	/*
	 * A joined pid namespace holds children only; a user namespace decides over which others
	 * may be joined. Both need a process that has joined before the container's is cloned.
	 */
	if (ns[OCI_NS_PID].path || ns[OCI_NS_USER].path || ns[OCI_NS_TIME].path ||
	    (joins && head->clone_flags & CLONE_NEWUSER))
		head->flags |= PLAN_STAGE;
	return put_time_offsets(b, err);
}
