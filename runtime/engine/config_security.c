/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/config_security.h"

#include <errno.h>
#include <string.h>

#include "base/userns.h"
#include "runtime/engine/capabilities.h"

static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
	NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

int config_capabilities(const struct engine_security *security, uint64_t host, uint64_t *ret,
			struct err *err)
{
	if (!security->privileged)
		return capabilities_choose(security->cap_add, security->cap_drop, host, ret, err);
	*ret = host;
	return 0;
}

static int build_capabilities(const struct config_input *in, struct oci_capabilities *ret,
			      struct err *err)
{
	uint64_t mask = 0;

	err_try(config_capabilities(&in->options->security, in->host_capabilities, &mask, err));
	ret->set = true;
	ret->bounding = mask;
	/* Nothing is inheritable or ambient, so execve leaves another user than root with nothing;
	 * setuid programs still get what is in the bounding set. */
	ret->permitted = ret->effective = in->user->user.uid == 0 ? mask : 0;
	return 0;
}

/* A privileged one has no filter unless it asked for one. */
static int build_seccomp(const struct config_input *in, struct oci_config *config, struct err *err)
{
	static const struct oci_annotation builtin = { CONFIG_ANNOTATION_SECCOMP, "default" };
	const struct engine_security *security = &in->options->security;
	const struct labels ours = { &builtin, !security->privileged && !security->seccomp };
	struct labels all;

	config->seccomp = in->seccomp;
	err_try(labels_merge(&in->options->annotations, &ours, config->arena, &all, err));
	config->annotations = all.items;
	config->annotations_count = all.count;
	return 0;
}

/*
 * Without a network namespace of its own a container must not set the host's sysctls; Docker lets
 * unprivileged users bind low ports and ping in one that is its own.
 */
static int build_sysctls(const struct config_input *in, struct oci_config *config, struct err *err)
{
	static const struct oci_annotation defaults[] = {
		{ "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.ping_group_range", "0 2147483647" },
	};
	/* Where there are no more groups than these (engine/id_ranges.h). */
	static const struct oci_annotation mapped[] = {
		{ "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.ping_group_range", "0 65535" },
	};
	/* How many groups the rootless have is their host's affair: none is to ping. */
	size_t count = userns_is_rootless() ? 1 : ARRAY_SIZE(defaults);
	const struct labels ours = { in->options->namespaces.user ? mapped : defaults,
				     config->namespaces[OCI_NS_NETWORK].present ? count : 0 };
	struct oci_sysctl *list;
	struct labels all;

	err_try(labels_merge(&ours, &in->options->security.sysctls, config->arena, &all, err));
	list = arena_calloc(config->arena, all.count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "build sysctls");
	for (size_t i = 0; i < all.count; i++)
		list[i] = (struct oci_sysctl){ all.items[i].key, all.items[i].value };
	config->sysctls = list;
	config->sysctls_count = all.count;
	return 0;
}

/* Takes the "ro" off /sys/fs/cgroup. */
static int open_cgroups(struct oci_config *config, struct err *err)
{
	struct oci_mount *mounts =
		arena_calloc(config->arena, config->mounts_count + 1, sizeof(*mounts));

	if (!mounts)
		return err_set(err, ENOMEM, "build mounts");
	for (size_t i = 0; i < config->mounts_count; i++) {
		const char **options = arena_calloc(
			config->arena, config->mounts[i].options_count + 1, sizeof(*options));
		size_t count = 0;

		mounts[i] = config->mounts[i];
		if (strcmp(mounts[i].destination, "/sys/fs/cgroup") != 0)
			continue;
		if (!options)
			return err_set(err, ENOMEM, "build mounts");
		for (size_t o = 0; o < mounts[i].options_count; o++)
			if (strcmp(mounts[i].options[o], "ro") != 0)
				options[count++] = mounts[i].options[o];
		mounts[i].options = options;
		mounts[i].options_count = count;
	}
	config->mounts = mounts;
	return 0;
}

int config_security_build(const struct config_input *in, struct oci_config *config, struct err *err)
{
	const struct engine_security *security = &in->options->security;

	config->root.readonly = security->readonly_rootfs;
	config->process.no_new_privileges = security->no_new_privileges;
	config->process.apparmor_profile = in->apparmor;
	config->process.selinux_label = security->selinux_label;
	if (!security->privileged && !security->systempaths_unconfined) {
		config->masked_paths = masked_paths;
		config->readonly_paths = readonly_paths;
	}
	err_try(build_capabilities(in, &config->process.capabilities, err));
	err_try(build_seccomp(in, config, err));
	err_try(build_sysctls(in, config, err));
	return security->writable_cgroups ? open_cgroups(config, err) : 0;
}
