/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's half of a launch, part by part; launch.c puts them in order. */
#pragma once

#include "base/cleanup.h"
#include "isolation/init/plan_format.h"
#include "isolation/init/protocol.h"
#include "isolation/launch.h"

/* Descriptors that travel with the plan, and what they are. Owned, but for borrowed ones. */
struct launch_fds {
	struct sync_begin begin;
	int fds[SYNC_FDS_MAX];
	bool borrowed[SYNC_FDS_MAX];
	unsigned count;
};

/* launch_fds.c: opens what init needs from the host and could not, or should not, open itself. */
int launch_fds_open(const struct launch_options *options, struct launch_fds *ret, struct err *err);
/* Gives bind mounts that ask for it the id maps of a process's user namespace. */
int launch_fds_idmap(const struct launch_fds *fds, const struct plan *plan, pid_t pid,
		     struct err *err);
/* launch_idmap.c: gives a detached mount the id maps that it has of its own in the plan. */
int launch_idmap(int mount_fd, const struct plan *plan, const struct plan_mount *mount,
		 struct err *err);
void launch_fds_close(struct launch_fds *fds);
/* A sealed memfd with that content, at its start; fd or -errno. */
int launch_memfd(const char *name, const void *data, size_t size, struct err *err);

/* launch_clone.c: the child up to its execution of cellar-init. */
int launch_clone(const struct launch_options *options, int sync_fd, pid_t *ret_pid, int *ret_pidfd,
		 struct err *err);

/* launch_channel.c */
int launch_send(int sync_fd, enum sync_type type, const int *fds, unsigned fds_count,
		struct err *err);
int launch_send_plan(int sync_fd, const struct plan *plan, const struct launch_fds *fds,
		     struct err *err);
/*
 * The next message and the fd that came with it (or -1). 0 at the end of the conversation, >0 a
 * message, -errno. FAILED comes back as that error.
 */
int launch_receive(int sync_fd, struct sync_message *ret, int *ret_fd, struct err *err);

/* launch_settings.c: what the host decides over a process. */
int launch_write_maps(pid_t pid, const struct plan *plan, struct err *err);
int launch_set_oom_score(pid_t pid, const struct plan *plan, struct err *err);
int launch_set_limits(pid_t pid, const struct plan *plan, struct err *err);
void launch_warn_capabilities(const struct plan *plan);
