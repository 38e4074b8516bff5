/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/config_namespaces.h"

#include <string.h>

static void set(struct oci_config *config, enum oci_namespace_type type, const struct engine_ns *ns,
		const char *path)
{
	config->namespaces[type].present = ns->mode != ENGINE_NS_HOST;
	config->namespaces[type].path = ns->mode == ENGINE_NS_CONTAINER ? path : NULL;
}

void config_namespaces_build(const struct config_input *in, struct oci_config *config)
{
	const struct engine_namespaces *ns = &in->options->namespaces;

	config->namespaces[OCI_NS_MOUNT].present = true;
	set(config, OCI_NS_PID, &ns->pid, in->ns.pid_path);
	set(config, OCI_NS_IPC, &ns->ipc, in->ns.ipc_path);
	set(config, OCI_NS_UTS, &ns->uts, NULL);
	set(config, OCI_NS_CGROUP, &ns->cgroup, NULL);
	if (ns->user) {
		config->namespaces[OCI_NS_USER].present = true;
		config->namespaces[OCI_NS_USER].path = in->ns.user_path;
	}
	if (in->options->network != ENGINE_NETWORK_HOST) {
		config->namespaces[OCI_NS_NETWORK].present = true;
		config->namespaces[OCI_NS_NETWORK].path = in->netns_path;
	}
	/* The host keeps its name. */
	if (ns->uts.mode != ENGINE_NS_HOST)
		config->hostname = in->hostname;
}

const struct config_ns_mount *config_namespaces_mount(const struct config_input *in,
						      const char *target,
						      struct config_ns_mount *buf)
{
	const struct engine_namespaces *ns = &in->options->namespaces;

	*buf = (struct config_ns_mount){ 0 };
	if (strcmp(target, "/dev/shm") == 0) {
		if (ns->ipc.mode == ENGINE_NS_HOST)
			buf->source = "/dev/shm";
		else if (ns->ipc.mode == ENGINE_NS_CONTAINER || ns->ipc.mode == ENGINE_NS_SHAREABLE)
			buf->source = in->ns.shm_path;
		else if (ns->ipc.mode != ENGINE_NS_NONE)
			return NULL;
		return buf;
	}
	/* Else /proc/self/cgroup would tell paths that are not there. On v1 they never were. */
	if (strcmp(target, "/sys/fs/cgroup") == 0 && ns->cgroup.mode == ENGINE_NS_HOST &&
	    in->ns.cgroup2) {
		buf->source = "/sys/fs/cgroup";
		return buf;
	}
	return NULL;
}
