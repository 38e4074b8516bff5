/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's tar into a folder, as the lower folder of an overlay: whiteouts become its character
 * devices 0:0 and opaque marks. The tar is not trusted. Theory of operation:
 *
 * 1. Bytes of the blob pass a stream (unpack_stream) that decompresses, counts and digests them.
 * 2. libarchive reads the entries of that stream, as tar and nothing else.
 * 3. The name of an entry is refused where it has a ".."; a leading '/' is dropped.
 * 4. The folder it belongs in is found in the tree (unpack_tree) without ever leaving it: one
 *    openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS), or where that fails a walk, component by
 *    component, that resolves symlinks itself as if the tree were "/". It also asks the layers
 *    below: a symlinked folder there is followed, a folder there lends owner and mode.
 * 5. The entry is made in that folder (unpack_entry) by calls that follow no symlink and take over
 *    nothing that is there: what is in the way goes first.
 * 6. Times of folders are set at the end, when nothing changes in them any more.
 *
 * Nobody else writes to the tree meanwhile: it lies below a tmp folder of root's alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct unpack_options {
	/* fs/ folders of the layers below, topmost first */
	const int *lower_fds;
	size_t lower_count;
	const char *root; /* of the store, named when the disk is full */
	bool plain;	  /* no layer: a name that begins with .wh. is a name */
	/* 0: the defaults below */
	uint64_t entries_max, bytes_max, ratio_max;
};

#define UNPACK_ENTRIES_MAX 2000000
#define UNPACK_BYTES_MAX (256ULL << 30)
/* Unpacked to packed, looked at once more than a gigabyte was unpacked: real layers stay under 20,
 * one that is all zeros reaches 1000. */
#define UNPACK_RATIO_MAX 200
#define UNPACK_DEPTH_MAX 256

/*
 * Reads the blob (plain, gzip or zstd, by its first bytes) from its start. ret_diff_id: "sha256:"
 * and the digest of the uncompressed bytes, for the caller to compare. On failure fs_fd's folder
 * is half filled.
 */
int unpack_layer(int blob_fd, int fs_fd, const struct unpack_options *options,
		 char ret_diff_id[static DIGEST_TEXT_SIZE], struct err *err);
