/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder for what a test writes and what is timed or synced meanwhile. It lies in memory where
 * that can be had: on a busy disk any write may take seconds, and each sync does.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#define SCRATCH_FREE_BYTES (64ull << 20)

static inline bool scratch_is_in_memory(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && !(fs.f_flag & (ST_NOEXEC | ST_RDONLY)) &&
	       (unsigned long long)fs.f_bavail * fs.f_frsize >= SCRATCH_FREE_BYTES;
}

/* Makes BASE/cellar-NAME-XXXXXX. <0 where that cannot be. */
static inline int scratch_make(const char *name, char *ret, size_t size)
{
	static const char *const bases[] = { "/dev/shm", "/tmp" };

	for (size_t i = scratch_is_in_memory(bases[0]) ? 0 : 1; i < 2; i++) {
		snprintf(ret, size, "%s/cellar-%s-XXXXXX", bases[i], name);
		if (mkdtemp(ret))
			return 0;
	}
	return -1;
}
