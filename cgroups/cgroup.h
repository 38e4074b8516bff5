/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control groups of one container, on any of the three layouts: v2 alone; v1 controllers
 * mounted one by one; hybrid (v1 controllers and a cgroup2 mount without useful controllers). The
 * layout is found once per process from /proc/self/mountinfo; paths are below what is mounted, so
 * that in a container or a private cgroup namespace they cannot leave it.
 *
 * Joining. A child is born in its cgroup2 folder by CLONE_INTO_CGROUP (no wait for RCU); for every
 * v1 hierarchy the still single-threaded child itself writes "0" to a `tasks` file it inherited
 * (a foreign pid written to cgroup.procs costs 10 ms on an idle machine).
 *
 * A new cgroup is a guard: cgroup_free() of one that was created and not kept removes it again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"

#define CGROUP_HIERARCHIES_MAX 16
#define CGROUP_PATH_MAX 1024

enum cgroup_layout { CGROUP_V2, CGROUP_V1, CGROUP_HYBRID };

/* One mounted hierarchy and our folder in it; what the container's /sys/fs/cgroup is made of. */
struct cgroup_hierarchy {
	char name[64]; /* "memory", "cpu,cpuacct", "name=systemd"'s "systemd"; "" for cgroup2 */
	char mountpoint[256]; /* "/sys/fs/cgroup/memory" */
	bool v2;
};

struct cgroup;

/* Whether a container can be limited by "memory", "cpu", "pids", ...: the host has the controller,
 * and, where we are in somebody's cgroup namespace, can enable it. False for an unknown name. */
bool cgroup_can_limit(const char *controller);

enum cgroup_layout cgroup_layout(void);

/*
 * Makes the folders. path: linux.cgroupsPath ("/cellar/ID", "name"): absolute is below the mount
 * point, relative below "/cellar"; ".." leads out of neither. NULL: "/cellar-" + id, the fastest,
 * for a folder in between costs 0.6 ms to make and remove in ten v1 hierarchies.
 * An existing folder is taken over when it holds no process (-EBUSY otherwise).
 * On v2 every ancestor enables the controllers it can; what cannot be is an error only when
 * cgroup_apply() needs it.
 */
int cgroup_create(const char *path, const char *id, struct cgroup **ret, struct err *err);

struct cgroup_unit_options {
	const struct oci_resources *resources;	  /* limits, for systemd to know them too */
	const struct oci_annotation *annotations; /* "org.systemd.property.*" of them */
	size_t annotations_count;
	const char *subgroup; /* a folder in the unit's is the container's; NULL, "": none */
};

/*
 * The same by systemd: a transient scope, delegated to us, in which we then make and set what
 * systemd has no word for. path: "slice:prefix:name", see systemd_unit.h. The user's systemd is
 * asked when we are no root of the host. Until cgroup_settle() a placeholder process lives in the
 * scope, for systemd removes empty ones.
 * -ENOTCONN when no systemd is there, -EBUSY when it has such a unit already.
 */
int cgroup_create_unit(const char *path, const char *id, const struct cgroup_unit_options *options,
		       struct cgroup **ret, struct err *err);

/*
 * For a new cgroup, when the container's first process is in it: what is applied from now on is an
 * update. resources: as applied.
 */
int cgroup_settle(struct cgroup *cgroup, const struct oci_resources *resources, struct err *err);

/* cgroup_open() of what cgroup_create_unit() made. */
int cgroup_open_unit(const char *path, const char *unit, bool user, struct cgroup **ret,
		     struct err *err);

/* "cellar-web.scope", or NULL when systemd did not make it. */
const char *cgroup_unit(const struct cgroup *cgroup, bool *ret_user);

/* cgroup_destroy() where the folders are gone: systemd is to forget the unit. */
int cgroup_forget_unit(const char *unit, bool user, struct err *err);

/*
 * The same for a caller without privileges over the host (base/userns.h), who owns at most what was
 * delegated to it. A relative path, and the one made of the id, are below the cgroup around the
 * caller's own. Without a path, hierarchies that may not be used are left out: maybe all of them.
 */
int cgroup_create_rootless(const char *path, const char *id, struct cgroup **ret, struct err *err);

/* A cgroup of no hierarchy: nothing is made, no limit can be set, nothing be frozen or counted. Its
 * path is "". */
int cgroup_create_none(struct cgroup **ret, struct err *err);
bool cgroup_is_none(const struct cgroup *cgroup);

/* Opens what cgroup_create made, from cgroup_path() as saved in the state. -ENOENT when gone. */
int cgroup_open(const char *path, struct cgroup **ret, struct err *err);

/* Leaves the folders in place when freed. */
void cgroup_keep(struct cgroup *cgroup);
struct cgroup *cgroup_free(struct cgroup *cgroup);

/* The path below every mount point, "/cellar/ID". */
const char *cgroup_path(const struct cgroup *cgroup);

/* Hierarchies in order of mounting, cgroup2 last where hybrid. */
const struct cgroup_hierarchy *cgroup_hierarchies(const struct cgroup *cgroup, size_t *ret_count);

/* Absolute path of our folder in a hierarchy. Returns buf. */
char *cgroup_folder(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
		    char buf[static CGROUP_PATH_MAX]);

/*
 * What a child needs to join: ret_v2_fd, an open cgroup2 folder for CLONE_INTO_CGROUP or -1;
 * ret_task_fds, open v1 `tasks` files (O_WRONLY, O_CLOEXEC). All owned by the caller.
 */
int cgroup_join_fds(const struct cgroup *cgroup, int *ret_v2_fd,
		    int ret_task_fds[static CGROUP_HIERARCHIES_MAX], size_t *ret_tasks_count,
		    struct err *err);

/*
 * Writes limits and device rules. A limit that the host has no controller for is an error
 * (-EOPNOTSUPP) naming field and controller, but "no limit" is had without. Errors name the JSON
 * field and the file. As with other runtimes a limit, quota, weight or share of 0 means that it is
 * not set.
 *
 * Device rules are followed by those that every container needs for its own /dev. Without any, a
 * cgroup from cgroup_create() still denies all other devices, and one from cgroup_open() keeps what
 * it has. On an opened cgroup all else is an update: only what is given changes.
 */
int cgroup_apply(struct cgroup *cgroup, const struct oci_resources *resources, struct err *err);

struct cgroup_stats {
	uint64_t memory_usage_bytes, memory_limit_bytes; /* limit UINT64_MAX: none */
	uint64_t memory_peak_bytes, memory_inactive_file_bytes;
	uint64_t oom_kills; /* since creation */
	uint64_t cpu_usage_ns, cpu_user_ns, cpu_system_ns;
	uint64_t cpu_periods, cpu_throttled_periods, cpu_throttled_ns;
	uint64_t pids_current, pids_limit; /* UINT64_MAX: none */
	uint64_t io_read_bytes, io_write_bytes;
};

/* Files that are missing leave zeros. */
int cgroup_stats(const struct cgroup *cgroup, struct cgroup_stats *ret, struct err *err);

/* Processes of the cgroup and those below it. ret: owned by the caller. */
int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct err *err);

/* Signals every process of the cgroup; SIGKILL by cgroup.kill where there is one. */
int cgroup_signal(const struct cgroup *cgroup, int signal, struct err *err);

int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct err *err);
int cgroup_is_frozen(const struct cgroup *cgroup); /* 1, 0 or -errno */

/*
 * Whether a process stands still because a cgroup around it is frozen: any on its path, by
 * whomever, not only this one, which tells the hierarchies. ret_path: of the one that is, for a
 * message.
 */
bool cgroup_holds_frozen(const struct cgroup *cgroup, pid_t pid,
			 char ret_path[static CGROUP_PATH_MAX]);

/* Lets a frozen process die that was killed: v1 keeps it, until it is taken out of its cgroup. */
void cgroup_release_killed(const struct cgroup *cgroup, pid_t pid);

/* Gives a folder of cgroup2 with the files in it that the kernel means to be delegated to a user,
 * the root of a container's own user namespace. Nothing happens on v1. */
int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, gid_t gid, struct err *err);

/* Makes a folder below ours, gives it to the user, moves a process there, and enables controllers
 * for it. No limit is set in it. cgroup v2 only. */
int cgroup_delegate_below(const struct cgroup *cgroup, const char *name, pid_t pid, uid_t uid,
			  struct err *err);

/* Kills what is left (also what was frozen) and removes the folders and those below them, waiting
 * (bounded, 5 s) for the kernel to let go; "/cellar" goes with its last child. 0 also when they are
 * gone. systemd's unit ends with them. */
int cgroup_destroy(struct cgroup *cgroup, struct err *err);

CLEANUP_DEFINE(struct cgroup, cgroup, cgroup_free);
#define _cleanup_cgroup_ _cleanup_(cleanup_cgroup)
