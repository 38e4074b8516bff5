/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of service for caches and memory bandwidth: linux.intelRdt of the runtime specification,
 * which AMD's and ARM's processors serve too. A class is a folder of the resctrl file system.
 *
 * Usage: resctrl_mountpoint(), resctrl_plan_build() (pure), resctrl_apply(), resctrl_join();
 * resctrl_remove() in the end. Without linux.intelRdt nothing here is called.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"

struct resctrl_plan {
	char group[NAME_MAX + 1];   /* a folder's name; "": the root, the default class */
	char monitor[NAME_MAX + 1]; /* of a folder below the group's mon_groups; "": none */
	char *schemata;		    /* lines to write, or to find there; owned; NULL */
	bool is_own;		    /* the group is the container's and goes with it */
};

/*
 * Where resctrl is mounted, of a mountinfo(5) file. -ENOTSUP, with a sentence, where it is not.
 */
int resctrl_mountpoint(const char *mountinfo, char ret[static PATH_MAX], struct err *err);

/* What a container of that id asks for. */
int resctrl_plan_build(const struct oci_intel_rdt *rdt, const char *id, struct resctrl_plan *ret,
		       struct err *err);
void resctrl_plan_deinit(struct resctrl_plan *plan);

/*
 * Makes the group and the monitoring group, writes the schemata. A group with a name of its own
 * that is there already is not changed: what is asked for must be what it has (-EINVAL), and
 * without schemata it must be there (-ENOENT).
 */
int resctrl_apply(const char *mountpoint, const struct resctrl_plan *plan, struct err *err);

/* Schemata of a group that exists, changed. */
int resctrl_update(const char *mountpoint, const struct resctrl_plan *plan, struct err *err);

/* Its children are born into the same group. */
int resctrl_join(const char *mountpoint, const struct resctrl_plan *plan, pid_t pid,
		 struct err *err);

/* 0 also when it is gone. */
int resctrl_remove(const char *mountpoint, const struct resctrl_plan *plan, struct err *err);

#define _cleanup_resctrl_plan_ _cleanup_(resctrl_plan_deinit)
