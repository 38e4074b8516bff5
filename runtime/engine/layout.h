/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where what belongs to a container lies: names of folders below ROOT and RUNROOT, and nothing
 * else. What is below RUNROOT does not outlive a reboot.
 */
#pragma once

#include <limits.h>

#include "base/err.h"

/* Below ROOT. */
#define LAYOUT_CONTAINERS "containers"	 /* ID/ each */
#define LAYOUT_NAMES "containers/.names" /* symlinks NAME -> ID, and a lock */
/*
 * Containers that do not exist yet or no more: a folder is filled here before it appears among the
 * containers, and moved here before it is emptied. Whoever works on one holds a lock on the folder;
 * one that nobody holds was left by a crash.
 */
#define LAYOUT_TMP "containers/.tmp"
#define LAYOUT_NETWORKS "networks"
#define LAYOUT_VOLUMES "volumes"

/* Below RUNROOT. */
#define LAYOUT_ENGINE ".engine"
#define LAYOUT_NETNS ".engine/netns"	   /* ID: a bind mount of the network namespace */
#define LAYOUT_APPARMOR ".engine/apparmor" /* which default profile was loaded */
#define LAYOUT_SHIM ".engine/shim"	   /* sockets of the shims */
#define LAYOUT_PINS ".engine/pins"	   /* ID/: mounts that it needs on the host (pins.h) */
#define LAYOUT_IO ".engine/io"		   /* ID/: FIFOs of an attached ctr */

#define LAYOUT_SHIM_PROGRAM "containerd-shim-cellar-v2"
#define LAYOUT_SHIM_NAMESPACE "cellar" /* as containerd calls it; parts shims of other callers */

/* In a container's folder. */
#define LAYOUT_META "meta.json"
#define LAYOUT_CONFIG "config.json"
#define LAYOUT_STARTED "started" /* time of the start, written by who started it */
#define LAYOUT_EXIT "exit.json"	 /* by the shim */
#define LAYOUT_LOG "log"	 /* by the shim */
#define LAYOUT_ADDRESS "address" /* of the shim, by itself */
#define LAYOUT_ROOTFS "rootfs"
#define LAYOUT_REMOVE_VOLUMES "remove-volumes" /* in removal, by `ctr rm -v` */
#define LAYOUT_PID1 "pid1"		       /* the first process of one with --init */

#define LAYOUT_CHECKPOINT "checkpoint" /* see checkpoint.h */
#define LAYOUT_CHECKPOINT_NEW "checkpoint.new"
#define LAYOUT_CHECKPOINT_USED "checkpoint.used"

#define LAYOUT_ID_SIZE 65 /* 64 hex digits and NUL */

/* Writes base/folder, or base/folder/name when name is not NULL. -ENAMETOOLONG. */
int layout_path(char buf[static PATH_MAX], const char *base, const char *folder, const char *name,
		struct err *err);
