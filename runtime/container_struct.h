/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a container object, for the files of this folder only (one a verb).
 *
 * Invariants
 *	1. dirfd is open and is ROOT/ID, as long as the object lives.
 *	2. pidfd names record.pid as of record.start_ticks, or is -1: a pid is never used alone.
 *	3. record.ready is false only in a container that is being created or whose creator died.
 */
#pragma once

#include "base/arena.h"
#include "cgroups/cgroup.h"
#include "isolation/launch.h"
#include "runtime/container.h"
#include "runtime/record.h"

/* What is read from disk the first time somebody asks. Apart, so that asking changes no container.
 */
struct container_cache {
	struct oci_config *config; /* owned */
	struct cgroup *cgroup;	   /* owned */
};

struct container {
	struct arena *arena; /* of the strings here and in record */
	const char *root, *id;
	int dirfd;
	struct record record;
	int pidfd;
	struct launch launch; /* of the creating process with start_here, until it is started */
	bool start_here;
	bool rdt_made; /* here and now */
	int console_fd;
	const struct oci_config *config; /* as given to create, not owned; NULL: the cache's */
	struct container_cache *cache;
};

/* Takes dirfd over on success only. */
int container_new(const char *root, const char *id, int dirfd, struct container **ret,
		  struct err *err);

/*
 * Locks the folder (folder_lock) and, where the record was read before the creator had come to its
 * end, reads it again: what is done under the lock is done to what is there now.
 */
int container_lock(struct container *container, struct err *err);

/*
 * For failures that are not the program's: passes r through, but what has one of the codes that
 * tell a caller "no such program" or "not executable" (container.h, Error codes) becomes EIO.
 */
int container_blur(int r, struct err *err);

/* container_config() and container_cgroup() with the reason why not. */
int container_load_config(const struct container *container, const struct oci_config **ret,
			  struct err *err);
/* -ENOENT when the cgroup is gone. */
int container_load_cgroup(const struct container *container, struct cgroup **ret, struct err *err);

/* The state document with a status that the caller knows better (hooks). */
int container_state_as(const struct container *container, enum oci_status status, bool pretty,
		       char **ret, size_t *ret_len, struct err *err);

/* Init lives. A zombie that nobody has reaped does not: its pidfd is readable. */
bool container_is_alive(const struct container *container);

/* Waits until init is dead, for 10 s after a SIGKILL. -ETIMEDOUT. */
int container_wait_dead(const struct container *container, struct err *err);

/*
 * Kills every process, removes cgroup and folder, and of one that came as far as its hooks (made)
 * runs those of poststop: the common end of delete and of a create that failed. The folder is
 * locked by the caller. Goes on after a failure of one step and reports the first.
 */
int container_destroy(struct container *container, bool made,
		      const struct container_delete_options *options, struct err *err);
