/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One conversation with the program criu, as a child of ours that serves one request (`criu swrk`):
 * we ask for a dump or a restore, it tells of the steps in between and waits for our word, and
 * ends.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/criu.pb-c.h"

struct criu_call {
	const char *program;	      /* NULL: criu of the system */
	const Criu__Request *request; /* descriptors in it are ours, but for inherit_fd */
	int cgroup_fd;		      /* cgroup2 folder in which criu is born, or -1 */
	const int *task_fds;	      /* open v1 `tasks` files that it joins */
	size_t task_fds_count;
	const int *keep_fds; /* that it inherits under the same numbers */
	size_t keep_fds_count;
	const char *root; /* a folder that criu is to find as a mount of its own, or NULL */
	/* With a root: the folders behind images_dir_fd and work_dir_fd, to be opened again. */
	const char *images_path, *work_path;
	int work_fd;	 /* where its log is, for the sentence of a failure */
	const char *log; /* its name */
	/*
	 * A step; fd (-1: none) belongs to the callee. pid: as seen from here, where there is one.
	 * <0 ends it all.
	 */
	int (*notify)(void *data, const char *step, pid_t pid, int fd, struct err *err);
	void *data;
};

/*
 * Returns when it is done. ret_pid: of a restored process, which is a child of ours (with
 * rst_sibling); may be NULL. A failure's sentence holds criu's own.
 */
int criu_call(const struct criu_call *call, pid_t *ret_pid, struct err *err);
