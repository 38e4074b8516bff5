/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations by which users of crun ask for what config.json has no field for (crun(1),
 *"EXTENSIONS TO OCI"):
 *
 *	run.oci.keep_original_groups	the program keeps the caller's supplementary groups
 *	run.oci.seccomp.receiver	linux.seccomp.listenerPath, where that is not given
 *	run.oci.seccomp_fail_unknown_syscall	an unknown name in the profile is an error
 *	run.oci.seccomp_bpf_data	a finished filter in base64, in place of the profile
 *	run.oci.timens_offset		linux.timeOffsets
 *	run.oci.mount_context_type	the mount option by which linux.mountLabel is set
 *	run.oci.pidfd_receiver		AF_UNIX socket that gets the container's pidfd
 *	run.oci.hooks.stdout, .stderr	files that collect what the runtime's hooks say
 *	run.oci.systemd.subgroup	folder below the scope's that is the container's cgroup
 *	run.oci.delegate-cgroup		one below that, given to the container's root (cgroup v2)
 *
 * Another one of run.oci that crun knows and this runtime does not is warned about; one that would
 * run something else than a container (run.oci.handler), or code of others in this program
 * (run.oci.seccomp.plugins), is refused.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "spec/oci_config.h"

#define ANNOTATION_PIDFD_RECEIVER "run.oci.pidfd_receiver"
#define ANNOTATION_HOOKS_STDOUT "run.oci.hooks.stdout"
#define ANNOTATION_HOOKS_STDERR "run.oci.hooks.stderr"
#define ANNOTATION_SUBGROUP "run.oci.systemd.subgroup"
#define ANNOTATION_DELEGATE "run.oci.delegate-cgroup"

/* The keys that are supported, by index from 0; NULL behind the last. */
const char *annotations_name(size_t index);

/* For a new container: warns, and refuses by -ENOTSUP. */
int annotations_check(const struct oci_config *config, struct err *err);

/* Turns into fields what has one. */
int annotations_apply(struct oci_config *config, struct err *err);
