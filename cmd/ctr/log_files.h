/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a container's log, in the order in which they were written: PATH.2, PATH.1, PATH
 * (runtime/shim/log.h). They are held open, so that a rotation meanwhile takes none away.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct log_files {
	int *fds; /* the oldest first; owned */
	size_t count;
};

/* 0 with no file where there is no log. */
int log_files_open(const char *path, struct log_files *ret, struct err *err);
void log_files_close(struct log_files *files);

/*
 * What was begun after the given file: opened, the oldest first. ret_gap: the file itself is no
 * longer there, so some that were written after it may be gone as well, and all there are come.
 */
int log_files_open_after(const char *path, int fd, struct log_files *ret, bool *ret_gap,
			 struct err *err);

#define _cleanup_log_files_ _cleanup_(log_files_close)
