/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What linux.cgroupsPath says where systemd makes the cgroups: "SLICE:PREFIX:NAME" stands for the
 * scope PREFIX-NAME.scope in SLICE. A NAME that ends in ".slice" is a slice of its own. Pure text,
 * as runc reads it, because callers (Docker, Podman, CRI) work out the same name by themselves.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define SYSTEMD_NAME_MAX 256

struct systemd_unit {
	char slice[SYSTEMD_NAME_MAX]; /* "system.slice"; the root is "-.slice" */
	char name[SYSTEMD_NAME_MAX];  /* "cellar-web.scope" */
};

/*
 * path NULL or "": cellar-ID.scope. No slice: system.slice, or user.slice of a user's manager.
 * -EINVAL names linux.cgroupsPath.
 */
int systemd_unit_parse(const char *path, const char *id, bool user, struct systemd_unit *ret,
		       struct err *err);

/* "SLICE.slice:PREFIX:NAME", by which a caller that leaves things to systemd is known. NULL: no. */
bool systemd_unit_is_meant(const char *path);

bool systemd_unit_is_slice(const char *name);
