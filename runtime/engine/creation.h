/* SPDX-License-Identifier: Apache-2.0 */
/* A container while it is made, for the files of this folder that make it. */
#pragma once

#include "runtime/engine/config_build.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/id.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/user.h"
#include "storage/store.h"

struct shim_client;

struct creation {
	struct engine *engine;
	const struct engine_run_options *options;
	struct arena *arena;
	struct store *store;
	struct store_image *image;
	int hold_fd, containers_fd, fd; /* fd: the container's folder, locked */
	char id[LAYOUT_ID_SIZE];
	const char *dir, *netns_path;
	const char *joined_dir; /* folder of the container whose network it shares, or NULL */
	struct config_namespaces ns;
	struct meta meta;
	struct engine_mount *mounts; /* meta.mounts, while they are collected */
	struct user_identity user;
	struct engine_stdio io;
	struct shim_client *client;
	pid_t pid;  /* of the created init */
	bool again; /* it was made before, and is only to run again */
};

void creation_deinit(struct creation *c);

/* Starts the shim of the container, into c->client. */
int creation_start_shim(struct creation *c, struct err *err);

/* Finds the image, held against collection, and the user in its layers. */
int creation_find_image(struct creation *c, struct err *err);

/* Adds to options, which are c's own, the ports that --publish-all publishes. */
int creation_publish_exposed(struct creation *c, struct engine_run_options *options,
			     struct err *err);

/* Whether what is asked for can be had: its ports, so far. Nothing is made. */
int creation_check_network(struct creation *c, struct err *err);

/* The names, beside its own, that others know it by, into c->meta. */
int creation_collect_names(struct creation *c, struct err *err);

/* Network namespace, NIC and addresses, which go into c->meta. */
int creation_make_network(struct creation *c, struct err *err);

/* For the shim: the ports to hold, and what it takes to answer for names. */
int creation_write_network(struct creation *c, struct err *err);

/* What is to be mounted, into meta, with names for anonymous volumes. */
int creation_choose_mounts(struct creation *c, struct err *err);

/* The path on the host of each of meta.mounts. */
int creation_mount_paths(struct creation *c, const char *const **ret, struct err *err);

/* Makes volumes and fills them; checks or makes the sources of binds. */
int creation_prepare_mounts(struct creation *c, struct err *err);
/*
 * Decides on the AppArmor profile, into meta: one that was asked for has to be there; the default
 * one is loaded where the kernel has AppArmor, and a host that lets us not is warned of.
 */
int creation_choose_apparmor(struct creation *c, struct err *err);

/* What cannot go together. */
int creation_check_namespaces(const struct engine_run_options *options, struct err *err);

/* Opens and makes what its namespaces need on the host, but for the network's. */
int creation_make_namespaces(struct creation *c, struct err *err);

/* The same for a user namespace of its own, with the bridge's network namespace; before the others.
 */
int creation_make_userns(struct creation *c, struct err *err);

/*
 * A namespace ("pid", "ipc", "net") of a running container, kept by a mount of ours whose path is
 * the result, so that it is that container's for certain and stays.
 */
int creation_hold_namespace(struct creation *c, const struct engine_container *other,
			    const char *type, const char **ret, struct err *err);

/* Gives the container's root what is its own among the files that are mounted into it. */
int creation_own_files(struct creation *c, struct err *err);

/* Puts id-mapped layers into the options of its overlay. */
int creation_map_layers(struct creation *c, const char **options, struct err *err);

/* Its health check, from what was asked for and what the image says, into meta. */
int creation_choose_health(struct creation *c, struct err *err);

/* The same for the shim; config.json has been written. Texts are in the arena. */
int creation_build_health(struct creation *c, struct shim_health *ret, struct err *err);

/* Writes the container's files: host files, config.json, FIFOs. */
int creation_write_files(struct creation *c, struct err *err);
