/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted into a container: what is asked for, and what a container has. Plain data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum engine_mount_type { ENGINE_MOUNT_BIND, ENGINE_MOUNT_VOLUME, ENGINE_MOUNT_TMPFS };

/* Of a bind: what becomes of mounts below its source. */
enum engine_mount_below {
	ENGINE_BELOW_SAME,     /* they come along, read-only when it is */
	ENGINE_BELOW_WRITABLE, /* they come along as they are */
	ENGINE_BELOW_NOTHING,  /* they do not come along */
};

struct engine_mount {
	enum engine_mount_type type;
	/* The host's path (absolute), or a volume's name; NULL: of a tmpfs, or of a volume that is
	 * yet to be given a name. */
	const char *source;
	const char *target; /* absolute and clean, not "/" */
	bool readonly;
	bool anonymous;	 /* a volume made for this container alone */
	bool no_copy;	 /* of a volume: it begins empty */
	bool must_exist; /* of a bind: a missing source is not made */
	bool real;	 /* of a bind: no symlink on its way, not even now */
	bool relabel;	 /* "z", "Z": only SELinux's hosts care */
	enum engine_mount_below below;
	const char *propagation;   /* "rshared", ...; NULL: "rprivate" */
	const char *tmpfs_options; /* "size=64m,mode=1777", or NULL */
	const char *const *labels; /* of a volume that is made; NULL-terminated, or NULL */
};

struct engine_mounts {
	const struct engine_mount *items; /* no two on one target */
	size_t count;
	const char *const *volumes_from; /* "CONTAINER[:ro|rw]", NULL-terminated, or NULL */
};

/* "bind", "volume", "tmpfs". */
const char *engine_mount_type_name(enum engine_mount_type type);
