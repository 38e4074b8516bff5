/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp profile in Docker's format, which is the OCI specification's with conditions on top:
 * "archMap" instead of "architectures", and "includes" and "excludes" of a rule, by the container's
 * capabilities, the host's architecture and its kernel. Resolved for one container, it is the OCI
 * specification's. The profile of Docker and Podman (default.json, seccomp.json) reads as it is.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/oci_config.h"

/* What conditions ask for. */
struct seccomp_host {
	uint64_t capabilities;	       /* of the container: bit n is capability n */
	const char *architecture;      /* Docker's word: "amd64" */
	const char *scmp_architecture; /* "SCMP_ARCH_X86_64" */
	unsigned kernel_major, kernel_minor;
};

/* The machine that we run on. */
void seccomp_host_of(uint64_t capabilities, struct seccomp_host *ret);

/* Lives in the arena. Errors name the field, as the file has it. */
int seccomp_file_parse(const char *text, size_t len, const struct seccomp_host *host,
		       struct arena *arena, const struct oci_seccomp **ret, struct err *err);

/* Reads the file; errors name it and the option. */
int seccomp_file_load(const char *path, const struct seccomp_host *host, struct arena *arena,
		      const struct oci_seccomp **ret, struct err *err);
