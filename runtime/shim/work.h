/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that takes its time, done for the shim by a child of its own while the loop goes on:
 * a checkpoint, a restore, whatever runs hooks.
 *
 *	child	runs work_options.run(), which sees all memory as it was, and may make processes
 *	child	sends the result, and waits for its end
 *	shim	calls done(); then the child ends, and what it made becomes the shim's, which is a
 *		child subreaper. Who watches a process in done() is told of its end, however
 *		early that was.
 *
 * The child holds no descriptor but the standard ones and those that were named: else it kept
 * other processes' pipes and the shim's connections open. It dies with the shim.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"

struct work;

struct work_result {
	int r;	   /* 0, or -errno with err */
	bool died; /* without a word: what it has made and not told of is still there */
	struct err err;
	pid_t pid; /* as run() gave them */
	int fd;	   /* -1: none; taken over by who sets it to -1 */
};

struct work_options {
	struct loop *loop;
	const int *keep_fds; /* at most WORK_FDS_MAX; -1: none */
	size_t keep_fds_count;
	/* In the child, with run_data as it was at work_start(). ret_pid, ret_fd: what done() gets;
	 * 0 and -1 before. */
	int (*run)(void *run_data, pid_t *ret_pid, int *ret_fd, struct err *err);
	void *run_data;
	/* From the loop, once; the work has been freed. */
	void (*done)(void *data, struct work_result *result);
	void *data;
};

#define WORK_FDS_MAX 8

int work_start(const struct work_options *options, struct work **ret, struct err *err);
/* The child is killed; done() is not called. */
struct work *work_free(struct work *work);
/* The same; its pidfd, now the caller's: what the child was at may still come to its end. */
int work_cancel(struct work *work);
