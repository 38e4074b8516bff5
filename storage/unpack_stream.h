/* SPDX-License-Identifier: Apache-2.0 */
/* The uncompressed bytes of a layer's blob, digested and counted as they pass. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/err.h"

struct unpack_stream;

struct unpack_limits {
	uint64_t entries_max, bytes_max, ratio_max;
};

int unpack_stream_open(int blob_fd, const struct unpack_limits *limits, struct unpack_stream **ret,
		       struct err *err);

/* The next bytes, good until the next call; 0 at the end, or -errno. */
ssize_t unpack_stream_read(struct unpack_stream *stream, const void **ret, struct err *err);

/* Reads what is left and gives "sha256:..." of the whole. */
int unpack_stream_finish(struct unpack_stream *stream, char ret[static DIGEST_TEXT_SIZE],
			 struct err *err);
struct unpack_stream *unpack_stream_close(struct unpack_stream *stream);

CLEANUP_DEFINE(struct unpack_stream, unpack_stream, unpack_stream_close);
#define _cleanup_unpack_stream_ _cleanup_(cleanup_unpack_stream)
