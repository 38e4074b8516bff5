/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container of the OCI runtime specification: its life from create to delete, and its state on
 * disk, ROOT/ID/: state.json, config.json as it was at create, exec.fifo until it is started; the
 * folder itself is the lock (flock). Used in process by `cellar` and by the shim, which is the
 * parent of what it creates.
 *
 * States: creating -> created -> running <-> paused -> stopped -> (deleted). The status is never
 * stored: it follows from the process (pid and start time), the exec fifo and the freezer, so it
 * is true after any crash.
 *
 * Error codes of create, start and exec: ENOENT only when the program was not found (Docker's exit
 * status 127), EACCES and ENOEXEC only when it could not be executed (126); nothing else has these.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci_config.h"
#include "spec/oci_state.h"

#define CONTAINER_ROOT_DEFAULT "/run/cellar"

struct container;
struct cgroup;

/* What a checkpoint and a restore have in common; both take the program criu (criu.org). */
struct container_criu_options {
	const char *program;	  /* NULL: criu of the system */
	const char *image_path;	  /* folder of the images */
	const char *work_path;	  /* folder of criu's log and statistics; NULL: image_path */
	const char *network_lock; /* "iptables", "nftables" or "skip"; NULL: criu's default */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
	bool tcp_close;		  /* at a restore: connections that stood are closed */
	unsigned empty_ns;	  /* CLONE_NEWNET: its content is not touched */
	const char *cgroups_mode; /* soft, full, strict, ignore; NULL: soft */

	/* checkpoint */
	const char *parent_path; /* of an earlier pre-dump, relative to image_path; NULL */
	const char *page_server; /* ADDRESS:PORT; NULL */
	bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
	bool has_status_fd;
	int status_fd; /* criu writes a byte when lazy pages can be asked for */

	/* restore */
	const char *lsm_profile, *lsm_mount_context; /* NULL */
};

/* Who makes cgroups: we do; systemd, by linux.cgroupsPath "slice:prefix:name"; nobody: the
 * container stays in its caller's, without limits. By the path, for callers that cannot say who:
 * systemd, where one runs and the path begins with a slice, else we. */
enum container_cgroups {
	CONTAINER_CGROUPFS,
	CONTAINER_SYSTEMD,
	CONTAINER_NO_CGROUP,
	CONTAINER_CGROUP_BY_PATH
};

enum container_rootless {
	CONTAINER_ROOTLESS_AUTO, /* by base/userns.h */
	CONTAINER_ROOTLESS,
	CONTAINER_NOT_ROOTLESS
};

struct container_create_options {
	const char *root;		 /* state folder, CONTAINER_ROOT_DEFAULT when NULL */
	const char *id;			 /* [A-Za-z0-9_+.-]+, not starting with '.' */
	const char *bundle;		 /* folder with config.json; made absolute */
	const struct oci_config *config; /* NULL: config_file is read */
	const char *config_file;	 /* NULL: bundle/config.json */
	const int *stdio;		 /* three fds, or NULL: inherited */
	const char *console_socket;	 /* AF_UNIX path that gets the terminal's master; NULL */
	bool want_console;	  /* the master, if any, goes to container_take_console() instead */
	const char *pid_file;	  /* NULL */
	const char *pidfd_socket; /* AF_UNIX path that gets the init's pidfd; NULL */
	enum container_cgroups cgroups;
	unsigned preserve_fds;
	/* The first so many of preserve_fds are sockets by sd_listen_fds(3): the program is told.
	 */
	unsigned listen_fds;
	bool no_pivot, no_new_keyring;
	bool notify; /* the program gets a socket for sd_notify(3), see runtime/notify.h */
	/* Started by container_start() of this same process: no exec fifo is made. */
	bool start_here;
	/* Its processes come from images, and run when it is created; NULL: a new container. */
	const struct container_criu_options *restore;
	/* Whether a cgroup that may not be made is done without, where no limit is asked for. */
	enum container_rootless rootless;
	/* That follows at once and cannot be left out: the program may already run before it. */
	bool start_follows;
};

/* On failure nothing is left: no process, cgroup, mount, folder. -EEXIST "container with given ID
 * already exists". */
int container_create(const struct container_create_options *options, struct container **ret,
		     struct err *err);

/* -ENOENT, with runc's words "container does not exist", where there is none; -EBADMSG where its
 * state.json is damaged, so that nobody can tell how it is. */
int container_open(const char *root, const char *id, struct container **ret, struct err *err);
/* Also one that is damaged, which is only good for container_delete() by force. */
int container_open_damaged(const char *root, const char *id, struct container **ret,
			   struct err *err);
struct container *container_free(struct container *container); /* changes nothing but memory */

/*
 * Executes the program of a created container; poststart hooks run. Errors of exec come back, and
 * those of poststart hooks, which stop the container; either way it is then still to be deleted,
 * and its process to be reaped by the parent.
 */
int container_start(struct container *container, struct err *err);

/*
 * Writes images of its processes. They end, unless leave_running or pre_dump is set; deleting the
 * container is then the caller's. -ESRCH "container not running"; -ENOTSUP: there is no criu.
 */
int container_checkpoint(struct container *container, const struct container_criu_options *options,
			 struct err *err);

/*
 * signal to init, or to all processes. What is created only, and could not hear it, ends by HUP,
 * INT, QUIT and TERM, too. -ESRCH "container not running" when it is stopped.
 */
int container_kill(struct container *container, int signal, bool all, struct err *err);
int container_pause(struct container *container, struct err *err);
int container_resume(struct container *container, struct err *err);

/*
 * Other limits (cgroup_apply on an existing cgroup): what is not given stays, and so do the device
 * rules. -ESRCH "container not running" when it is stopped.
 */
int container_update(struct container *container, const struct oci_resources *resources,
		     struct err *err);

/* Other schemata of linux.intelRdt, each or NULL; -EINVAL where the container was made without. */
int container_update_rdt(struct container *container, const char *l3_cache_schema,
			 const char *mem_bw_schema, struct err *err);

/*
 * Stopped (or created) containers; running ones only by force, which kills. poststop hooks run.
 * force and gone already: 0. A container that is being created by another process is disturbed and
 * waited for, 10 s at most. Kills and waits, but reaps nobody: that is the parent's, by
 * container_pidfd(). The container is still to be freed.
 */
int container_delete(struct container *container, bool force, struct err *err);

struct container_delete_options {
	bool force;
	/* -ESTALE for a container that was made from another bundle than this one, and nothing
	 * happens to it: somebody else came first with the id. NULL: whichever it was. */
	const char *bundle;
	bool no_hooks;
	/* Seconds that a poststop hook without a timeout of its own gets; 0: it may run for ever.
	 */
	int hook_s;
	/* Seconds for all of them, whatever timeout they have; 0: no limit. */
	int hooks_s;
};

/* The same. A hook whose time is over is killed with what it has started, and the next one runs. */
int container_delete_with(struct container *container,
			  const struct container_delete_options *options, struct err *err);

/* False where it is known to be made from another one. */
bool container_may_be_of(const struct container *container, const char *bundle);

/* Its init executes its program, and is not still cellar-init. Of one that lives. */
bool container_is_started(const struct container *container);

enum oci_status container_status(struct container *container);
const char *container_id(const struct container *container);
pid_t container_pid(const struct container *container);
int container_pidfd(const struct container *container); /* not owned; -1 when the init is gone */
const char *container_bundle(const struct container *container);
const struct oci_config *container_config(const struct container *container);
const struct cgroup *container_cgroup(const struct container *container);

/*
 * Its processes, by its cgroup; without one by its pid namespace, when that is not ours as well
 * (-EOPNOTSUPP). ret: owned by the caller.
 */
int container_pids(const struct container *container, pid_t **ret, size_t *ret_count,
		   struct err *err);
int container_take_console(struct container *container); /* fd, now the caller's, or -1 */

/* The state document, as `state` prints it. */
int container_state(struct container *container, bool pretty, char **ret, struct err *err);

struct container_exec_options {
	const struct oci_process *process;
	const int *stdio;
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket; /* AF_UNIX path that gets the pidfd; NULL */
	/*
	 * Folders below the container's in which it is born: "web/worker", or, where controllers
	 * are mounted one by one, "cpu,memory:worker". Several add up. NULL: the container's own.
	 */
	const char *const *cgroups;
	unsigned preserve_fds;
	bool ignore_paused; /* waits for its resume; without it, one in a frozen cgroup fails */
};

struct container_process {
	pid_t pid;
	int pidfd;	/* owned */
	int console_fd; /* owned; -1 without terminal or when sent to console_socket */
};

/* One more process in a running container; a child of the caller, which has to reap it. Returns
 * when its program is executing. */
int container_exec(struct container *container, const struct container_exec_options *options,
		   struct container_process *ret, struct err *err);

/* Calls fn for every container below root, in order of id; broken folders are logged and skipped.
 */
int container_each(const char *root, int (*fn)(void *data, struct container *container), void *data,
		   struct err *err);

bool container_id_is_valid(const char *id);

CLEANUP_DEFINE(struct container, container, container_free);
#define _cleanup_container_ _cleanup_(cleanup_container)
