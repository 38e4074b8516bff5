/* SPDX-License-Identifier: Apache-2.0 */
/* statx(2) for a musl that has none, as it is before 1.2.5. */
#pragma once

#include_next <sys/stat.h>

#ifndef STATX_INO
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATX_INO 0x100U
#define STATX_ATTR_MOUNT_ROOT 0x2000

struct statx_timestamp {
	int64_t tv_sec;
	uint32_t tv_nsec, pad;
};

struct statx {
	uint32_t stx_mask, stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink, stx_uid, stx_gid;
	uint16_t stx_mode, pad1;
	uint64_t stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
	uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	uint64_t stx_mnt_id;
	uint64_t spare[13];
};

static inline int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret)
{
	return (int)syscall(SYS_statx, dirfd, path, flags, mask, ret);
}
#endif
