/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an OCI runtime says of itself by `features` (runtime-spec, features.md and
 * features-linux.md), in an arena given by the caller. Lists are NULL-terminated; NULL means not
 * told, which is another thing than an empty list: nothing of the kind.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

struct oci_features_seccomp {
	struct oci_bool enabled;
	const char *const *actions, *const *operators, *const *archs;
	const char *const *known_flags, *const *supported_flags;
};

struct oci_features {
	const char *version_min, *version_max; /* of ociVersion that it takes */
	const char *const *hooks, *const *mount_options;
	struct {
		bool set; /* false: "linux" is absent */
		const char *const *namespaces, *const *capabilities;
		struct oci_bool cgroup_v1, cgroup_v2, cgroup_systemd, cgroup_systemd_user;
		struct oci_bool cgroup_rdma;
		struct oci_features_seccomp seccomp;
		struct oci_bool apparmor, selinux, idmap, net_devices;
		struct oci_bool intel_rdt, intel_rdt_schemata, intel_rdt_monitoring;
		const char *const *memory_modes, *const *memory_flags;
	} linux_;
	const struct oci_annotation *annotations;
	size_t annotations_count;
	const char *const *unsafe_annotations;
	struct oci_kept source; /* as it was read; JSON NULL: made in code */
};

int oci_features_parse(const char *text, size_t len, struct arena *arena, struct oci_features *ret,
		       struct err *err);

/* As oci_config_format(): nothing of what was read is lost. */
int oci_features_format(const struct oci_features *features, char **ret, size_t *ret_len,
			struct err *err);
