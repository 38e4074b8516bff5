/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of a container: what the image says, what was asked for, and Docker's defaults or
 * stricter ones for the rest. Pure: everything about the host comes in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/host_devices.h"
#include "runtime/engine/user.h"
#include "spec/oci_config.h"
#include "spec/oci_image.h"

#define CONFIG_PIDS_LIMIT_DEFAULT \
	2048 /* as Podman; Docker has none, so a fork bomb is the host's */
#define CONFIG_SHM_BYTES (64 << 20)
#define CONFIG_CPU_PERIOD_US 100000

/* "default": the runtime takes the filter that was compiled with Cellar (isolation/seccomp.h). */
#define CONFIG_ANNOTATION_SECCOMP "io.cellar.seccomp"

/* Paths on the host of namespaces to join and of what comes with them; NULL: not needed. */
struct config_namespaces {
	const char *pid_path, *ipc_path, *user_path, *shm_path;
	uint32_t id_base; /* of the user namespace's range */
	bool cgroup2;	  /* /sys/fs/cgroup of the host is a cgroup2 */
};

struct config_input {
	const struct engine_run_options *options;
	const struct oci_image *image;
	const char *id;
	const char *hostname;
	const char *dir; /* the container's folder, where hosts, hostname and resolv.conf are */
	const char *netns_path; /* NULL: a new one, or the host's as options->network says */
	struct config_namespaces ns;
	const struct user_identity *user;
	const struct engine_mount *mounts; /* the image's too; volumes have names */
	size_t mounts_count;
	const char *const *mount_paths; /* on the host, one for each of mounts */
	uint64_t host_capabilities;
	const struct oci_device *host_devices; /* for privileged ones */
	size_t host_devices_count;
	const struct host_device *asked_devices; /* of --device, found on the host */
	size_t asked_devices_count;
	const struct oci_seccomp *seccomp; /* of a profile that was asked for, resolved; or NULL */
	const char *apparmor;		   /* the profile, which is loaded; or NULL */
};

/* The program and its arguments, NULL-terminated, in the arena: entrypoint and command as Docker
 * puts them together. -EINVAL when there is none. */
int config_command(const struct engine_run_options *options, const struct oci_image *image,
		   struct arena *arena, const char *const **ret_args, struct err *err);

int config_build(const struct config_input *input, struct oci_config **ret, struct err *err);
