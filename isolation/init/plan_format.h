/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a plan, shared by the runtime that builds it and by cellar-init that carries it out.
 *
 * A plan is one block: struct plan in front, behind it strings and lists of records. A string is
 * named by its offset in the block (0: none), a list by offset and count. The block ends with a NUL
 * byte, so that every offset within it is a terminated string. plan_check() proves a block sound
 * before anything in it is used; it is the first thing cellar-init does with one.
 *
 * Lists of strings (arguments, environment) are 64-bit slots with offsets in them, which the reader
 * turns into pointers in place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PLAN_MAGIC 0x4c504c43u /* "CLPL" */
#define PLAN_VERSION 1u
#define PLAN_SIZE_MAX (64u << 20)

struct plan_list {
	uint32_t offset, count;
};

enum plan_flags {
	PLAN_EXEC = 1 << 0,  /* one more process in a running container */
	PLAN_STAGE = 1 << 1, /* start in the host's namespaces, join, then clone */
	PLAN_ROOT_READONLY = 1 << 2,
	PLAN_NO_PIVOT = 1 << 3,
	PLAN_DEVICES = 1 << 4, /* /dev is ours to fill */
	PLAN_TERMINAL = 1 << 5,
	PLAN_NO_NEW_PRIVILEGES = 1 << 6,
	PLAN_OOM_SCORE_ADJ = 1 << 7,
	PLAN_ROOTLESS = 1 << 8,
	PLAN_LOOPBACK = 1 << 9,
	PLAN_SECCOMP = 1 << 10,
	PLAN_USER_NAMESPACE = 1 << 11, /* a new one: the runtime opens what lies on the host */
	PLAN_NEEDS_HOME = 1 << 13,     /* the last of env is to become HOME of /etc/passwd */
	PLAN_FILE_SYSTEM = 1 << 12,    /* a new mount namespace: root, mounts, masks are made */
	PLAN_SCHEDULER = 1 << 14,
	PLAN_IO_PRIORITY = 1 << 15,
	PLAN_MEMORY_POLICY = 1 << 16,
	PLAN_PERSONALITY = 1 << 17,
	PLAN_EARLY_FILTER = 1 << 18, /* the filter lets pass what follows the clone, or the wait */
	PLAN_LISTENER = 1 << 19,     /* the filter has a listener, which is handed over */
	PLAN_IN_USERNS = 1 << 20,    /* the runtime's own user namespace is not the host's */
};

enum plan_capability_set {
	PLAN_CAP_BOUNDING,
	PLAN_CAP_EFFECTIVE,
	PLAN_CAP_INHERITABLE,
	PLAN_CAP_PERMITTED,
	PLAN_CAP_AMBIENT,
	PLAN_CAP_SETS
};

struct plan_scheduler {
	uint32_t policy, priority; /* SCHED_* */
	int32_t nice;
	uint32_t unused;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime_ns, deadline_ns, period_ns;
};

struct plan {
	uint32_t magic, version;
	uint32_t size; /* of the whole block */
	uint32_t flags;
	uint64_t clone_flags;	/* CLONE_NEW* of new namespaces, but for the cgroup namespace */
	uint64_t unshare_flags; /* CLONE_NEWCGROUP: only right once in the cgroup */
	uint64_t join_flags;	/* exec: namespaces of the container's init */
	uint64_t capabilities[PLAN_CAP_SETS];
	uint64_t root_propagation; /* MS_SHARED, ...; 0: none asked for */
	uint32_t root_propagation_recursive;
	uint32_t uid, gid, umask;
	uint32_t preserve_fds;
	int32_t oom_score_adj;
	uint32_t console_height, console_width;
	uint32_t seccomp_flags;
	struct plan_scheduler scheduler;
	uint32_t io_class, io_priority; /* IOPRIO_CLASS_* */
	uint32_t personality;
	uint32_t memory_mode, memory_flags; /* MPOL_*, MPOL_F_* */
	/* strings */
	uint32_t rootfs, hostname, domainname, keyring, cwd, apparmor_profile, selinux_label;
	uint32_t time_offsets; /* the text of timens_offsets: the stage makes the time namespace */
	/* lists */
	struct plan_list namespaces; /* struct plan_namespace: those joined by path */
	struct plan_list uid_maps, gid_maps;
	struct plan_list mounts;
	struct plan_list devices;
	struct plan_list links;
	struct plan_list masked, readonly; /* struct plan_path */
	struct plan_list sysctls;
	struct plan_list rlimits;
	struct plan_list gids;	    /* uint32_t */
	struct plan_list args, env; /* slots, with one more of 0 at the end, not counted */
	struct plan_list create_hooks, start_hooks;
	struct plan_list filter;	     /* struct sock_filter */
	struct plan_list cpus, memory_nodes; /* words of 64 bits */
};

struct plan_namespace {
	uint64_t flag; /* CLONE_NEW* */
	uint32_t path;
	uint32_t unused;
};

struct plan_map {
	uint32_t container_id, host_id, size, unused;
};

enum plan_mount_kind { PLAN_MOUNT_FS, PLAN_MOUNT_BIND, PLAN_MOUNT_REMOUNT, PLAN_MOUNT_KINDS };

enum plan_mount_flags {
	PLAN_MOUNT_RECURSIVE = 1 << 0,	     /* bind: with all below */
	PLAN_MOUNT_COPY_UP = 1 << 1,	     /* tmpfs that starts as a copy of what it covers */
	PLAN_MOUNT_LATE_READONLY = 1 << 2,   /* read-only when all mounts and nodes are made */
	PLAN_MOUNT_REAL_TARGET = 1 << 3,     /* the target may not be reached through symlinks */
	PLAN_MOUNT_OVER_PROC = 1 << 4,	     /* may cover a file of procfs */
	PLAN_MOUNT_INHERIT_MODE = 1 << 5,    /* tmpfs without mode=: that of what it covers */
	PLAN_MOUNT_HOST_FALLBACK = 1 << 6,   /* where the kernel refuses: bind the host's */
	PLAN_MOUNT_IDMAP = 1 << 7,	     /* idmapped by the container's user namespace */
	PLAN_MOUNT_IDMAP_RECURSIVE = 1 << 8, /* ... with all below */
	PLAN_MOUNT_PROPAGATION_RECURSIVE = 1 << 9,
	PLAN_MOUNT_SUPER_READONLY = 1 << 10, /* the file system itself too */
	PLAN_MOUNT_REAL_PROC = 1 << 11,	     /* bind on /proc: the source must be procfs */
	PLAN_MOUNT_REAL_SOURCE = 1 << 12,    /* bind: no symlink may be on the way to the source */
};

struct plan_mount {
	uint32_t kind, flags;
	uint32_t type, source, target;
	uint32_t unused;
	uint64_t set, clear;			 /* MOUNT_ATTR_* of the mount itself */
	uint64_t set_recursive, clear_recursive; /* of all below too */
	uint64_t propagation;			 /* MS_PRIVATE, ... or 0 */
	struct plan_list options;		 /* struct plan_option, for fsconfig */
	struct plan_list uid_maps, gid_maps;	 /* struct plan_map: an idmapped mount's own */
};

struct plan_option {
	uint32_t key, value; /* value 0: a flag */
};

struct plan_device {
	uint32_t path;
	uint32_t mode; /* S_IFCHR and permissions */
	uint32_t major, minor;
	uint32_t uid, gid;
};

struct plan_link {
	uint32_t path, target;
};

struct plan_path {
	uint32_t path;
	uint32_t unused;
};

struct plan_sysctl {
	uint32_t key, path, value; /* path: below /proc, "sys/net/..." */
	uint32_t unused;
};

struct plan_rlimit {
	uint64_t soft, hard;
	uint32_t type;
	uint32_t unused;
};

struct plan_hook {
	uint32_t path;
	uint32_t timeout_s;
	struct plan_list args, env;
};

/* 0, or -EINVAL with what is wrong. The block must be aligned to 8 bytes. */
int plan_check(const void *block, size_t size, struct err *err);

static inline const char *plan_string(const struct plan *plan, uint32_t offset)
{
	return offset ? (const char *)plan + offset : NULL;
}

/* Records of a list; PLAN_EACH(it, plan, mounts) walks those of plan->mounts. */
static inline const void *plan_records(const struct plan *plan, struct plan_list list)
{
	return (const char *)plan + list.offset;
}

#define PLAN_EACH(type, it, plan, list)                                                       \
	for (const struct type *it = plan_records(plan, list), *end_##it = it + (list).count; \
	     it < end_##it; it++)
