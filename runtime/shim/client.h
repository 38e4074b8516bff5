/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way to what runs: containerd's Task API (containerd.task.v3.Task) over ttrpc, as `ctr`
 * and the cell's agent use it. Calls block; a Wait is sent on a client of its own, whose descriptor
 * becomes readable when it is answered, so that a caller can watch many. All other calls have a
 * deadline: ten seconds, or two minutes for those that make, start and delete.
 *
 * Errors carry the server's sentence; -ENOENT for NotFound, -EEXIST for AlreadyExists,
 * -EINVAL, -EBUSY for FailedPrecondition, -ENOSYS for Unimplemented, -ECONNRESET when the shim
 * died, -ETIMEDOUT when it does not answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "runtime/shim/policy.h"

struct shim_client;

struct shim_start_options {
	const char *binary;	/* path of containerd-shim-cellar-v2 */
	const char *namespace_; /* containerd namespace; "cellar" for ctr */
	const char *id;
	const char *bundle;	/* working folder of the shim */
	const char *socket_dir; /* where its socket goes, mode 0700 */
	bool debug;
	bool adopt; /* the container of the bundle lives, and its shim is dead */
};

/* Starts a shim process (its `start` action); ret_address "unix:///...", owned by the caller. */
int shim_start_process(const struct shim_start_options *options, char **ret_address,
		       struct err *err);

/* -ECONNREFUSED or -ENOENT when nobody listens. */
int shim_connect(const char *address, struct shim_client **ret, struct err *err);
struct shim_client *shim_close(struct shim_client *client);
int shim_fd(const struct shim_client *client); /* for poll; not owned */

struct shim_mount {
	const char *type, *source, *target; /* target below rootfs, or NULL */
	const char *const *options;	    /* NULL-terminated */
};

struct shim_create_options {
	const char *id, *bundle;
	const struct shim_mount *rootfs; /* mounted on BUNDLE/rootfs by the shim */
	size_t rootfs_count;
	bool terminal;
	/*
	 * FIFOs, file:// or binary:// URIs, or NULL: none. The reading ends of stdout and stderr
	 * are opened by the caller before it calls (O_NONBLOCK), the writing end of stdin
	 * afterwards. All output is in the FIFOs, and their end of file, when a Wait is answered,
	 * unless the caller did not read for a second; then both follow. A caller that goes away
	 * stops nothing, and its end of stdin is the end of the process's.
	 */
	const char *stdin_path, *stdout_path, *stderr_path;
	/* Cellar's own options (cellar.shim.v1.Options in the request's `options`). */
	const char *runtime_root; /* state folder */
	const char *log_path;	  /* log of stdout and stderr, one line each, or NULL */
	const char *exit_path;	  /* file that receives the exit status as JSON, or NULL */
	/* Folders of the engine, or NULL: at its end the container gives back what it needs no
	 * more, or is removed. */
	const char *engine_root, *engine_runroot;
	bool remove;
	bool keep_stdin; /* stdin has no end before the process's, whoever writes to it */
	struct shim_policy policy;
	/* A folder of the container below which its stdio is kept over a death of the shim; NULL:
	 * a shim that dies takes the stdio along. */
	const char *io_dir;
	const char *criu; /* the program for checkpoints; NULL: criu of the system */
};

int shim_create(struct shim_client *client, const struct shim_create_options *options,
		pid_t *ret_pid, struct err *err);

/* Puts the request down in the bundle for shim_create_again(), instead of sending it. */
int shim_create_note(const struct shim_create_options *options, struct err *err);

/* What differs from the last time. */
struct shim_again_options {
	const char *bundle;
	const char *stdin_path, *stdout_path, *stderr_path; /* as above */
	bool keep_stdin;
	/* Folder of images from which its processes come when it is started; NULL: it begins anew.
	 * Then the program for it, or NULL. */
	const char *checkpoint, *criu;
};

/* Creates the container of the bundle as it was created before, or was to be. -ENOENT where nothing
 * tells how. */
int shim_create_again(struct shim_client *client, const struct shim_again_options *options,
		      pid_t *ret_pid, struct err *err);
/* exec_id: NULL or "" for the container itself, here and below. */
int shim_start(struct shim_client *client, const char *id, const char *exec_id, pid_t *ret_pid,
	       struct err *err);

struct shim_exec_options {
	const char *id, *exec_id;
	bool terminal;
	const char *stdin_path, *stdout_path, *stderr_path;
	const char *process_json; /* OCI process */
};

int shim_exec(struct shim_client *client, const struct shim_exec_options *options, struct err *err);

struct shim_exit {
	uint32_t status; /* 128 + signal for a killed process */
	int64_t exited_ns;
	bool oom_killed; /* known for the container itself only */
	bool unknown;	 /* nobody saw it, its shim was dead: status is 255 */
};

/* Sends Wait. A container that is removed at its end takes its shim along: for such a one this
 * comes before shim_start(). Then shim_fd() turns readable, and shim_wait_finish() reads the answer
 * (blocking when called before). No other call on this client in between. */
int shim_wait_begin(struct shim_client *client, const char *id, const char *exec_id,
		    struct err *err);
int shim_wait_finish(struct shim_client *client, struct shim_exit *ret, struct err *err);

enum shim_status {
	SHIM_UNKNOWN,
	SHIM_CREATED,
	SHIM_RUNNING,
	SHIM_STOPPED,
	SHIM_PAUSED,
	SHIM_PAUSING
};

struct shim_state {
	enum shim_status status;
	pid_t pid;
	struct shim_exit exit;
	bool restarting; /* it has ended (exit says how), and is about to be started again */
	unsigned restarts;
};

int shim_state(struct shim_client *client, const char *id, const char *exec_id,
	       struct shim_state *ret, struct err *err);
int shim_kill(struct shim_client *client, const char *id, const char *exec_id, int signal, bool all,
	      struct err *err);
/* The same for the container itself, after which no restart follows; 0 also when it was about to be
 * restarted, and now is not. */
int shim_kill_finally(struct shim_client *client, const char *id, int signal, bool all,
		      struct err *err);
int shim_resize(struct shim_client *client, const char *id, const char *exec_id, uint32_t width,
		uint32_t height, struct err *err);
int shim_close_stdin(struct shim_client *client, const char *id, const char *exec_id,
		     struct err *err);
int shim_delete(struct shim_client *client, const char *id, const char *exec_id,
		struct shim_exit *ret, struct err *err);

struct shim_stats {
	uint64_t memory_usage_bytes, memory_limit_bytes;
	uint64_t cpu_usage_ns;
	uint64_t pids_current, pids_limit;
	uint64_t io_read_bytes, io_write_bytes;
};

int shim_stats(struct shim_client *client, const char *id, struct shim_stats *ret, struct err *err);
/* ---- what only Cellar's shim does; one that is older than the caller says -ENOSYS ---- */

struct shim_attach_options {
	const char *id, *exec_id;
	/* FIFOs as for shim_create_options, opened before; NULL: none. The client holds nobody
	 * back: where it does not read, its FIFOs end. -EBUSY: too many clients, or no stdin to
	 * write to.
	 */
	const char *stdin_path, *stdout_path, *stderr_path;
};

int shim_attach(struct shim_client *client, const struct shim_attach_options *options,
		struct err *err);

/* Ends the container's process, by SIGKILL after that time, and runs it again; answered then. */
int shim_restart(struct shim_client *client, const char *id, int signal, uint32_t timeout_ms,
		 struct err *err);

/* The owner's fence: unless this is called again before, the container is killed (or paused) after
 * that time. 0: no deadline any more. A shim that adopts it keeps to it, and acts at once where it
 * has passed meanwhile; without a shim nobody acts. */
int shim_set_deadline(struct shim_client *client, const char *id, uint64_t in_ms, bool pause,
		      struct err *err);

/* Lets the shim execute that program in its place, while the container runs on; answered by the new
 * one. -EBUSY: something is being started or ended, ask again. Otherwise the old one goes on. */
int shim_upgrade(struct shim_client *client, const char *id, const char *binary, struct err *err);

int shim_pause(struct shim_client *client, const char *id, struct err *err);
int shim_resume(struct shim_client *client, const char *id, struct err *err);
/* Writes images of the container's processes into the folder, which is made where it is missing;
 * then they are ended, by SIGKILL, and nothing of them was lost. Until then they stand still. What
 * fails leaves them running. */
int shim_checkpoint(struct shim_client *client, const char *id, const char *folder, int patience_s,
		    struct err *err);
/* resources_json: "resources" of an OCI configuration. */
int shim_update(struct shim_client *client, const char *id, const char *resources_json,
		struct err *err);
/* ret is owned by the caller. */
int shim_pids(struct shim_client *client, const char *id, pid_t **ret, size_t *ret_count,
	      struct err *err);

/* Ends the shim when it holds no container any more. */
int shim_shutdown(struct shim_client *client, const char *id, struct err *err);

CLEANUP_DEFINE(struct shim_client, shim_client, shim_close);
#define _cleanup_shim_client_ _cleanup_(cleanup_shim_client)
