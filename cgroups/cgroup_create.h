/* SPDX-License-Identifier: Apache-2.0 */
/* Making the folders of a cgroup, and what must be in them before anybody can join. */
#pragma once

#include "cgroups/cgroup_folder.h"

/*
 * Makes the folder in every hierarchy, with the missing ones above it, and sets c->fresh. -EBUSY
 * when one is there already and holds a process; then, as after every failure, nothing new is left.
 */
int cgroup_make_folders(struct cgroup *c, struct err *err);

/*
 * The same in folders that systemd has made, with the placeholder in them: makes what is missing,
 * the sub-folder too, and moves the placeholder down where processes may not stay above it. Leaves
 * what it made when it fails.
 */
int cgroup_adopt_folders(struct cgroup *c, pid_t placeholder, struct err *err);

/*
 * Tries to remove our folder, and all below it, from every hierarchy of the mask. Returns the mask
 * of those that are still there, and why: -EBUSY (a process is in it), or another -errno that no
 * patience mends. Empty folders above it go as well when they are in "/cellar", and
 * that, too; where systemd made it, those up to the unit's.
 */
unsigned cgroup_remove_folders(const struct cgroup *c, unsigned mask, int *ret_why);

/* Where relative paths go: ours alone, so whoever finds it empty removes it. */
#define CGROUP_PARENT "/cellar"
