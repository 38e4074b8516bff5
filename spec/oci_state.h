/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a container as `state` prints it and hooks receive it (runtime-spec, runtime.md). */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"

enum oci_status { OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_STOPPED, OCI_PAUSED };

const char *oci_status_name(enum oci_status status); /* "creating", "created", ... */

struct oci_state {
	const char *oci_version; /* NULL: OCI_VERSION */
	const char *id;
	enum oci_status status;
	pid_t pid; /* 0 when stopped, as runc prints it */
	const char *bundle;
	/* Written after the specification's fields, as runc does; NULL leaves them out. */
	const char *rootfs, *created, *owner;
	const struct oci_annotation *annotations;
	size_t annotations_count;
	struct oci_kept source; /* as it was read; JSON NULL: made in code */
};

/* -EINVAL when it is none. */
int oci_status_parse(const char *name);

/* What another program's `state` printed. rootfs, created and owner may be absent. */
int oci_state_parse(const char *text, size_t len, struct arena *arena, struct oci_state *ret,
		    struct err *err);

/* The JSON, owned by the caller; pretty as `state` prints it, else in one line for hooks. */
int oci_state_format(const struct oci_state *state, bool pretty, char **ret, size_t *ret_len,
		     struct err *err);
