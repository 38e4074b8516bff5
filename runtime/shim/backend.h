/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shim needs from the world below it, as one table: the runtime library in the program,
 * a stand-in in the tests, which then need neither root nor namespaces.
 *
 * A handle is opaque to the shim. Processes that are made are children of this process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/container.h"
#include "runtime/shim/rootfs.h"

struct cgroup_oom;
struct container_criu_options;

struct backend_create {
	const char *root; /* state folder; NULL: the default */
	const char *id, *bundle;
	const int *stdio; /* NULL with a terminal */
	bool terminal, no_pivot, no_new_keyring;
	enum container_cgroups cgroups;
	bool start_elsewhere; /* start() comes from another process than this one */
	bool for_removal;     /* adopt: also one that is damaged, and good for destroy() only */
	const struct container_criu_options *restore; /* its processes come from images; NULL */
};

struct backend_process {
	pid_t pid;
	int pidfd;	/* owned by the caller; -1 for a container's init */
	int console_fd; /* owned by the caller, or -1 */
	bool started;	/* of one that was adopted: its program was executed */
	bool paused;	/* the same: it is frozen */
};

struct backend_exec {
	const char *process_json;
	size_t process_len;
	bool terminal;
	const int *stdio;
};

struct backend_stats {
	bool v2; /* which dialect clients expect */
	uint64_t memory_usage_bytes, memory_limit_bytes, memory_peak_bytes,
		memory_inactive_file_bytes;
	uint64_t oom_kills;
	uint64_t cpu_usage_ns, cpu_user_ns, cpu_system_ns;
	uint64_t cpu_periods, cpu_throttled_periods, cpu_throttled_ns;
	uint64_t pids_current, pids_limit;
	uint64_t io_read_bytes, io_write_bytes;
};

struct backend_ops {
	int (*create)(const struct backend_create *options, void **ret_handle,
		      struct backend_process *ret, struct err *err);
	/* One that another process made of this bundle: its handle, and the pidfd of its init, -1
	 * when that has ended. -ENOENT, also where there is one of that id of another bundle. */
	int (*adopt)(const struct backend_create *options, void **ret_handle,
		     struct backend_process *ret, struct err *err);
	/* Frees the handle of one that somebody else destroys. */
	void (*forget)(void *handle);
	int (*start)(void *handle, struct err *err);
	int (*exec)(void *handle, const struct backend_exec *options, struct backend_process *ret,
		    struct err *err);
	int (*kill)(void *handle, int signal, bool all, struct err *err);
	int (*freeze)(void *handle, bool frozen, struct err *err);
	int (*update)(void *handle, const char *resources_json, size_t len, struct err *err);
	/* Images of its processes, which end unless they are to run on. */
	int (*checkpoint)(void *handle, const struct container_criu_options *options,
			  struct err *err);
	/* The processes end with their init, because they have a pid namespace of their own. */
	bool (*has_pid_namespace)(void *handle);
	int (*stats)(void *handle, struct backend_stats *ret, struct err *err);
	/* Of the container's kills for want of memory; ret is closed by cgroup_oom_close(). NULL:
	 * not offered. */
	int (*watch_oom)(void *handle, struct cgroup_oom *ret, struct err *err);
	int (*pids)(void *handle, pid_t **ret, size_t *ret_count, struct err *err);
	/* Kills and removes the container that was made from bundle, and frees the handle whether
	 * that worked or not; 0 also where it is another one's. Its hooks may take long. */
	int (*destroy)(void *handle, const char *bundle, bool hooks, struct err *err);
	int (*mount)(const char *bundle, const struct rootfs_mount *mounts, size_t count,
		     struct err *err);
	int (*unmount)(const char *bundle, struct err *err);
};

extern const struct backend_ops backend_runtime;
