/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a Create request, which make up BUNDLE/rootfs: overlay, bind, and whatever else a
 * snapshotter hands out, written as in fstab(5).
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct rootfs_mount {
	const char *type, *source;
	const char *target; /* below rootfs; NULL or "": rootfs itself */
	const char *const *options;
	size_t options_count;
};

/* "options" sorted out: flags for mount(2), a propagation to set afterwards, and the rest as text
 * for the filesystem. */
struct rootfs_options {
	unsigned long flags, propagation;
	char *data; /* owned; "" when there is none */
};

/* -ENOMEM; -EINVAL for loop devices and id-mapped mounts, which are refused. */
int rootfs_options_parse(const char *const *options, size_t count, struct rootfs_options *ret,
			 struct err *err);

/*
 * Overlay options longer than a page: mount(2) takes no more. Names the longest folder that all of
 * lowerdir have in common ("/a/b") and rewrites data to be relative to it; 0 when there is nothing
 * to gain. ret_* are owned by the caller; 1 when rewritten.
 */
int rootfs_shorten_lowerdir(const char *data, char **ret_folder, char **ret_data);

/* Makes BUNDLE/rootfs (0711) and mounts in order. On failure nothing stays mounted. */
int rootfs_mount(const char *bundle, const struct rootfs_mount *mounts, size_t count,
		 struct err *err);

/* Detaches all that is mounted on BUNDLE/rootfs, with what is below. 0 also when nothing is. */
int rootfs_unmount(const char *bundle, struct err *err);
