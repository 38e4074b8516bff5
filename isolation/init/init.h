/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cellar-init knows while it carries a plan out. One step is one function over it; the table
 * of steps is in main.c. No heap: the plan lies in one block, all else is of fixed size.
 *
 * Every fd here is O_CLOEXEC; the program gets 0, 1, 2 and those of preserve_fds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "isolation/init/plan_format.h"
#include "isolation/init/protocol.h"

#define INIT_LATE_MAX 64

/* Views of the kernel, most of whose masks and read-only paths lie below them. */
#define INIT_VIEWS 2
static const char *const init_views[INIT_VIEWS] = { "/proc", "/sys" };

struct init {
	struct plan *plan;
	struct sync_begin begin;
	int sync_fd;  /* -1 once the runtime is not needed any more */
	int fifo_fd;  /* exec fifo, O_PATH; -1 */
	int start_fd; /* the fifo opened for writing, once somebody starts us; -1 */
	/*
	 * The host's procfs, verified; from ROOT on our own folder in it, from ENTER on a mount of
	 * that alone, without a way up; -1: no step needs it any more.
	 */
	int proc_fd;
	int root_fd;	  /* root of the container's file system */
	int console_fd;	  /* the terminal's master until it is sent; -1 */
	int state_fds[2]; /* state documents for createContainer and startContainer hooks; -1 */
	ino_t root_ino;	  /* of root_fd */
	dev_t root_dev;
	int fds[SYNC_FDS_MAX];
	unsigned fds_count;
	unsigned next_mount_fd;	 /* in fds */
	int late[INIT_LATE_MAX]; /* mounts that become read-only when all is in place */
	unsigned late_count;
	int views[INIT_VIEWS]; /* the mounts at init_views; -1 */
	enum init_step step;
	int limits_refused;	    /* resource limits that we may not set ourselves */
	int listener_socket;	    /* where the filter's listener goes; -1 */
	const char *listener_state; /* what is said with it, mapped */
	size_t listener_state_len;
	bool confined;	    /* filter and capabilities are the program's */
	char home[512];	    /* "HOME=..." */
	char program[4096]; /* path of what is executed */
};

static inline const char *init_string(const struct init *in, uint32_t offset)
{
	return plan_string(in->plan, offset);
}

/* channel.c: the runtime's end of the conversation. */
int channel_begin(struct init *in, struct err *err);
int channel_send(struct init *in, enum sync_type type, int32_t value, int fd, struct err *err);
/* Waits for a message of that type; up to two fds that came along. */
int channel_wait(struct init *in, enum sync_type type, int ret_fds[2], struct err *err);
/* Says why, to whoever listens, and ends the process. */
_Noreturn void channel_fail(struct init *in, const struct err *err);

/* target.c: paths inside the container's root, which is not trusted. */
int target_find(int root_fd, const char *path, uint64_t resolve); /* O_PATH fd or -errno */
int target_make(int root_fd, const char *path, bool folder, struct err *err); /* the same, made */
/* Opens (making it) the folder that a path lies in; ret_name points into path. */
int target_parent(int root_fd, const char *path, const char **ret_name, struct err *err);
bool fd_is_procfs(int fd);

/* The steps. */
int stage_run(struct init *in, struct err *err);	  /* stage.c */
int stage_clone(struct init *in, struct err *err);	  /* stage.c */
int stage_become_root(struct init *in, struct err *err);  /* stage.c */
int stage_join(struct init *in, struct err *err);	  /* stage.c */
int host_session(struct init *in, struct err *err);	  /* host.c */
int host_settings(struct init *in, struct err *err);	  /* host.c */
int rootfs_prepare(struct init *in, struct err *err);	  /* rootfs.c */
int rootfs_enter(struct init *in, struct err *err);	  /* rootfs.c */
int mounts_apply(struct init *in, struct err *err);	  /* mounts.c */
int mounts_finish(struct init *in, struct err *err);	  /* mounts.c */
int copy_up(int from_fd, int to_fd, struct err *err);	  /* copy_up.c */
int devices_make(struct init *in, struct err *err);	  /* devices.c */
int masks_apply(struct init *in, struct err *err);	  /* masks.c */
int terminal_open(struct init *in, struct err *err);	  /* terminal.c */
int terminal_control(struct init *in, struct err *err);	  /* terminal.c */
int hooks_create(struct init *in, struct err *err);	  /* hooks.c */
int hooks_start(struct init *in, struct err *err);	  /* hooks.c */
int rootfs_narrow_proc(struct init *in, struct err *err); /* rootfs.c */
int scheduling_apply(struct init *in, struct err *err);	  /* scheduling.c */
int identity_assume(struct init *in, struct err *err);	  /* identity.c */
/* Sets the limits that would have been in our own way. */
int limits_finish(const struct init *in, struct err *err);	     /* identity.c */
int identity_raise(const struct init *in, int cap, struct err *err); /* identity.c */
int identity_seal(const struct init *in, struct err *err);	     /* identity.c */
/* Gets what listener_send() needs, while the runtime listens. */
int listener_prepare(struct init *in, struct err *err);		   /* listener.c */
int listener_send(struct init *in, int listener, struct err *err); /* listener.c */
int program_find(struct init *in, struct err *err);		   /* program.c */
int program_confine(struct init *in, struct err *err);		   /* program.c */
/* Asks for the LSMs' labels from the execution on; of our children, too. */
int program_label(struct init *in, struct err *err);   /* program.c */
int program_wait(struct init *in, struct err *err);    /* program.c */
int program_execute(struct init *in, struct err *err); /* program.c */
