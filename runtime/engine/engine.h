/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an image to a bundle under a shim: what `ctr` does, and later the cell's agent.
 *
 * A container of the engine is a folder ROOT/containers/ID/, which is also its bundle:
 *
 *	meta.json	what was asked for: name, image, command, network, ...; there from the
 *			moment the folder has this name, so that the rest can be found by it
 *	config.json	the OCI configuration
 *	rootfs/		mount point of the overlay
 *	upper/ work/	the overlay's
 *	log		output, a line each (docs/ctr.md)
 *	address		of the shim's socket, written by the shim
 *	started		when it was started, RFC 3339, written by the shim
 *	exit.json	written by the shim when init ends
 *	ports.json	published ports (netns/publish.h), with their numbers from the shim
 *	hosts hostname resolv.conf	bind-mounted into it, and with --init pid1
 *
 * and, while it lives, RUNROOT/ID/ (runtime/container.h), RUNROOT/.engine/netns/ID,
 * RUNROOT/.engine/io/ID/ (FIFOs), RUNROOT/.engine/pins/ID/ (mounts), RUNROOT/.engine/shim/ (its
 * socket), a lease below ROOT/networks/. Names are symlinks ROOT/containers/.names/NAME -> ID, made
 * with EEXIST as the lock. A folder is filled below ROOT/containers/.tmp/ before, and emptied there
 * after, under a lock on the folder; what nobody holds there was left by a crash and is swept by
 *the next command.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "runtime/engine/engine_limits.h"
#include "runtime/engine/engine_mounts.h"
#include "runtime/engine/engine_namespaces.h"
#include "runtime/engine/engine_network.h"
#include "runtime/engine/engine_security.h"
#include "runtime/engine/engine_supervision.h"
#include "runtime/engine/labels.h"
#include "runtime/shim/health_record.h"
#include "spec/oci_config.h"

#define ENGINE_ROOT_DEFAULT "/var/lib/cellar"
#define ENGINE_RUNROOT_DEFAULT "/run/cellar"

struct engine;
struct shim_client;

/* Paths are made absolute; the folders are made at first use. */
int engine_open(const char *root, const char *runroot, struct engine **ret, struct err *err);
struct engine *engine_close(struct engine *engine);
const char *engine_root(const struct engine *engine);
const char *engine_runroot(const struct engine *engine);

enum engine_network {
	ENGINE_NETWORK_BRIDGE,
	ENGINE_NETWORK_NONE,
	ENGINE_NETWORK_HOST,
	ENGINE_NETWORK_CONTAINER, /* that of another container */
};

#define ENGINE_STOP_TIMEOUT_S 10

/* What a person may ask for. Zero values are Docker's defaults. */
struct engine_run_options {
	const char *image;
	const char *name;	       /* NULL: one is made up */
	const char *const *args;       /* after the image; NULL-terminated, may be NULL */
	const char *const *entrypoint; /* NULL: the image's; {"", NULL}: none */
	const char *const *env;	       /* "K=V", or "K" taken from our environment */
	const char *workdir, *user, *hostname;
	const char *domainname;
	bool terminal, interactive, detach, auto_remove;
	bool later;		       /* no shim yet, engine_renew() starts it; with detach */
	bool init;		       /* a small first process in front of the program */
	const char *platform;	       /* "linux/amd64", or NULL: whatever the image is for */
	const char *stop_signal;       /* NULL: the image's */
	struct oci_i64 stop_timeout_s; /* unset: ENGINE_STOP_TIMEOUT_S; -1: for ever */
	struct labels labels;	       /* over the image's */
	struct labels annotations;     /* of config.json */
	enum engine_network network;
	struct engine_limits limits;
	struct engine_network_options net;
	struct engine_security security;
	struct engine_mounts mounts;
	struct engine_namespaces namespaces;
	const char *const *group_add; /* names or numbers, NULL-terminated, or NULL */
	struct engine_supervision supervision;
	uint16_t console_width, console_height; /* of the terminal at its start; 0: unknown */
	/* The cgroup that its own is made in, absolute below every mount point; its owner is to
	 * remove it. NULL: none. */
	const char *cgroup_parent;
	const char *criu; /* the program for checkpoints (checkpoint.h); NULL: of the system */
};

/* A container as the disk knows it, and its status now. */
struct engine_container {
	struct arena *arena; /* owns the rest */
	const char *id, *name, *image, *image_id;
	const char *const *layers;  /* chain ids it needs, NULL-terminated; NULL: unknown */
	const char *const *command; /* resolved argv */
	/* "created", "running", "paused", "restarting" (it has ended, and is about to be started
	 * again), "exited", "damaged" */
	const char *status;
	/* What is wrong with its files, or NULL. Without meta.json id, name and status hold, with
	 * the status "damaged" nobody can tell whether it runs. */
	const char *damage;
	int exit_code;	     /* of an exited or restarting one; -1: unknown (its shim died) */
	const char *restart; /* policy: "no", "on-failure:3", ... */
	unsigned restarts;   /* so far */
	bool restarting;     /* as its shim said last; the status counts */
	bool supervised;     /* unless a person has ended it, its end is followed by a restart */
	struct engine_health health_check; /* test NULL: none */
	struct health_record health;	   /* what is known of it; of one without, HEALTH_NONE */
	bool oom_killed, auto_remove, terminal, interactive;
	struct engine_security security;	     /* with what apparmor came to be */
	struct engine_limits limits;		     /* with the default of pids_limit */
	int64_t created_ns, started_ns, finished_ns; /* 0: not yet */
	pid_t pid;				     /* 0 unless alive */
	enum engine_network network;
	const char *address; /* "10.77.0.2/16", or NULL; another's, once it has exited */
	const char *gateway; /* or NULL */
	const char *address6, *gateway6, *mac; /* or NULL */
	const char *const *aliases;	       /* or NULL */
	struct publish_list ports;	       /* published; those of an exited one are not held */
	const char *hostname;
	const struct engine_mount *mounts; /* asked for, and the image's volumes */
	size_t mounts_count;
	const char *stop_signal; /* as it was asked for, or the image says it; NULL */
	int64_t stop_timeout_s;	 /* patience of a stop; -1: for ever */
	const char *domainname;	 /* or NULL */
	bool init;
	struct labels labels, annotations;
	struct engine_namespaces namespaces;
	const char *dir;	  /* ROOT/containers/ID */
	const char *shim_address; /* NULL when it never had one */
	const char *log_path;
};

/*
 * Our ends of the FIFOs of an attached process, all non-blocking; -1 and NULL where there is none.
 * With a terminal everything comes from stdout.
 */
struct engine_stdio {
	int stdin_fd, stdout_fd, stderr_fd;
	char *stdin_path, *stdout_path, *stderr_path;
};

#define ENGINE_STDIO_NONE \
	((struct engine_stdio){ .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 })

/* Closes and removes them. */
void engine_stdio_close(struct engine_stdio *io);

/*
 * Makes the container and its shim, created but not started. On failure nothing is left.
 * ret_io: filled unless options->detach, when it may be NULL.
 */
int engine_create(struct engine *engine, const struct engine_run_options *options,
		  struct engine_container **ret, struct engine_stdio *ret_io, struct err *err);

/*
 * Makes one that was created for later, or has ended, ready to be started again: then it is as
 * engine_create() leaves one, with all that it wrote, its name and its address. -EBUSY when it
 * runs, -EALREADY when it is ready, made so by somebody who starts it or was killed. ret_io: filled
 * unless detach, when it may be NULL.
 */
int engine_renew(struct engine *engine, const struct engine_container *container, bool detach,
		 struct engine_container **ret, struct engine_stdio *ret_io, struct err *err);

/* The same with its start, also of one that is ready: it runs, with nobody at its stdio. */
int engine_run_again(struct engine *engine, const struct engine_container *container,
		     struct err *err);

/* Executes its program; client as engine_connect gives it. Errors of exec come back. 0 also when
 * somebody else was quicker. */
int engine_start(struct engine *engine, const struct engine_container *container,
		 struct shim_client *client, struct err *err);

/* What `ctr exec` asks for. */
struct engine_exec_options {
	const char *const *args; /* NULL-terminated */
	const char *const *env;	 /* "K=V" or "K" */
	const char *workdir, *user;
	bool terminal, interactive, detach;
	uint16_t console_width, console_height;
};

/*
 * Adds a process to a running container, not started yet (shim_start with ret_exec_id, which the
 * caller owns). Everything not asked for is as for the container's own process. ret_io as above.
 */
int engine_exec(struct engine *engine, const struct engine_container *container,
		struct shim_client *client, const struct engine_exec_options *options,
		char **ret_exec_id, struct engine_stdio *ret_io, struct err *err);

/* What keeps containers from the outside, if anything: network_find_obstacle(). 1, 0, <0. */
int engine_find_obstacle(struct engine *engine, struct network_obstacle *ret, struct err *err);
/*
 * Attaches to the stdio of a running container, beside whoever is attached already: what it writes
 * from now on comes from ret_io. With want_stdin, where it has one that others may write to (-EBUSY
 * else).
 */
int engine_attach(struct engine *engine, const struct engine_container *container,
		  struct shim_client *client, bool want_stdin, struct engine_stdio *ret_io,
		  struct err *err);

/* Gives it another name; -EEXIST when that is taken. */
int engine_rename(struct engine *engine, const struct engine_container *container, const char *name,
		  struct err *err);

/* Zero: as it is. */
struct engine_update_options {
	int64_t memory_bytes; /* with swap twice that, as for engine_create() */
	int64_t cpu_millicpu;
	int64_t pids_limit; /* -1: none */
};

/* Other limits, at once and for later runs. */
int engine_update(struct engine *engine, const struct engine_container *container,
		  const struct engine_update_options *options, struct err *err);

/* Puts the shim that is installed now in the place of the one that holds the container, which runs
 * on. Waits five seconds at most for what is being started or ended in it. */
int engine_upgrade(struct engine *engine, const struct engine_container *container,
		   struct err *err);

/* The same for what a shim of containerd holds; >0: none of ours listens there. */
int engine_upgrade_at(const char *socket_path, struct err *err);

/* By name, id, or unique prefix of an id. -ENOENT. */
int engine_find(struct engine *engine, const char *name, struct engine_container **ret,
		struct err *err);
struct engine_container *engine_container_free(struct engine_container *container);
int engine_each(struct engine *engine,
		int (*fn)(void *data, const struct engine_container *container), void *data,
		struct err *err);

/* Connects to a container's shim; where that was killed, another one takes the container over. */
int engine_connect(struct engine *engine, const struct engine_container *container,
		   struct shim_client **ret, struct err *err);

/* Gives containers whose shims were killed other ones. Failures are logged as warnings. */
void engine_tend(struct engine *engine);

/*
 * Signals the container's first process: through the shim, or straight where that hangs. -ESRCH
 * when it does not run. final: no restart follows, also when it waits for one right now.
 */
int engine_kill(struct engine *engine, const struct engine_container *container, int signal,
		bool final, struct err *err);

struct engine_exit {
	int code; /* 128 + signal for a killed one; -1: unknown, its shim died */
	bool oom_killed;
};

/* Waits until it has ended, restarts included, timeout_ms at most (-1: for ever): 1 when it has, 0
 * after that time. */
int engine_wait(struct engine *engine, const struct engine_container *container, int timeout_ms,
		struct engine_exit *ret, struct err *err);

enum {
	ENGINE_REMOVE_FORCE = 1,   /* a running one, too */
	ENGINE_REMOVE_VOLUMES = 2, /* and its anonymous volumes, as those of --rm go anyway */
	ENGINE_REMOVE_UNDO = 4,	   /* there never was one, and nobody is told */
	ENGINE_REMOVE_ENDED = 8,   /* its processes, cgroup and state went before */
};

/*
 * Removes a container with its shim: ends the shim's work when it lives, then engine_remove(). A
 * running container only by force (-EBUSY else). flags: ENGINE_REMOVE_*.
 */
int engine_destroy(struct engine *engine, const struct engine_container *container, unsigned flags,
		   struct err *err);

/*
 * Removes all that belongs to the container, in whatever half-made state it is; with or without a
 * living shim. A running one only by force (-EBUSY else). Linked into the shim too (no libmnl).
 */
int engine_remove(const char *root, const char *runroot, const char *id, unsigned flags,
		  struct err *err);

/*
 * Gives back what a container that has ended needs no more: its network namespace (and so its NIC),
 * its FIFOs. It keeps its address. Failures are logged at debug, as removal tries again. Needs no
 * libmnl.
 */
void engine_release(const char *root, const char *runroot, const char *id);

CLEANUP_DEFINE(struct engine, engine, engine_close);
#define _cleanup_engine_ _cleanup_(cleanup_engine)
CLEANUP_DEFINE(struct engine_container, engine_container, engine_container_free);
#define _cleanup_engine_stdio_ _cleanup_(engine_stdio_close)
#define _cleanup_engine_container_ _cleanup_(cleanup_engine_container)
