/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a containerd shim: `start` brings up the daemon (or finds the one that serves
 * the group) and tells its address, `delete` cleans up after a dead one, -v and -info introduce the
 * program. The working folder is the bundle.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "runtime/shim/shim.h"

struct bootstrap_args {
	const char *namespace_, *id, *address, *bundle; /* NULL when not given */
	const char *action;				/* "start", "delete" or NULL */
	bool debug, version, info;
	const char *upgrade; /* start, check: the descriptor with what another program left */
	bool adopt;	     /* start: for a container whose shim is dead; ctr's alone */
};

/* Go's flags: -name value, -name=value, --name ...; the action anywhere among them. */
int bootstrap_parse(int argc, char *const *argv, struct bootstrap_args *ret, struct err *err);

/* Returns 0 in the process that was started, and 1 in the daemon, at its end. */
int bootstrap_start(const struct bootstrap_args *args, const struct shim_engine *engine,
		    struct err *err);

/* Goes on in the place of another program (upgrade.h); returns at its end. */
int bootstrap_upgrade(const struct bootstrap_args *args, const struct shim_engine *engine,
		      struct err *err);

/* Whether it could. */
int bootstrap_check(const struct bootstrap_args *args, struct err *err);

/* Writes the DeleteResponse to stdout. */
int bootstrap_delete(const struct bootstrap_args *args, struct err *err);

/* Write to stdout. */
int bootstrap_version(struct err *err);
int bootstrap_info(struct err *err);

/* Where the shim of a group listens: DIR/<digits of a hash>. Returns buf. */
#define BOOTSTRAP_SOCKET_SIZE 4200
char *bootstrap_socket_path(const char *dir, const char *address, const char *namespace_,
			    const char *group, char buf[static BOOTSTRAP_SOCKET_SIZE]);

/* What stdin of `start` says. Strings are in the arena and never NULL. */
struct bootstrap_params {
	bool is_params; /* containerd 2.3 and ctr: the answer is a protobuf message */
	const char *socket_dir, *ttrpc_address;
	const char *shim_cgroup; /* containerd.runc.v1.Options; "" */
	bool debug;
};

int bootstrap_parse_stdin(const void *data, size_t len, const struct bootstrap_args *args,
			  struct arena *arena, struct bootstrap_params *ret, struct err *err);
