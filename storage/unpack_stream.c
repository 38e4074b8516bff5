/* SPDX-License-Identifier: Apache-2.0 */
/* A blob's uncompressed bytes: libarchive's filters alone, told which one by the first bytes. */
#include "storage/unpack_stream.h"

#include <archive.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM_BUFFER (256 << 10)
#define RATIO_FROM_BYTES (1ULL << 30)

struct unpack_stream {
	struct archive *filter; /* NULL: the blob is not compressed */
	int blob_fd;
	struct unpack_limits limits;
	uint64_t blob_bytes, done_bytes;
	struct digest_state *state;
	char *buffer;
};

/* ARCHIVE_FILTER_*; a media type may lie, the digest of what comes out doesn't. */
static int detect_filter(int fd)
{
	unsigned char head[4] = { 0 };

	if (pread(fd, head, sizeof(head), 0) < 0)
		return -errno;
	if (head[0] == 0x1f && head[1] == 0x8b)
		return ARCHIVE_FILTER_GZIP;
	if (memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
		return ARCHIVE_FILTER_ZSTD;
	return ARCHIVE_FILTER_NONE;
}

static int say_archive(struct archive *archive, struct err *err)
{
	int code = archive_errno(archive);
	const char *text = archive_error_string(archive);

	return err_say(err, code > 0 ? code : EBADMSG, "decompress: %s", text ? text : "damaged");
}

static int open_filter(struct unpack_stream *stream, int filter, struct err *err)
{
	stream->filter = archive_read_new();
	if (!stream->filter)
		return err_set(err, ENOMEM, "decompress");
	/* Appended, not offered: nothing is unwrapped twice. */
	if (archive_read_append_filter(stream->filter, filter) < ARCHIVE_WARN)
		return say_archive(stream->filter, err);
	if (archive_read_support_format_raw(stream->filter) != ARCHIVE_OK ||
	    archive_read_open_fd(stream->filter, stream->blob_fd, STREAM_BUFFER) != ARCHIVE_OK)
		return say_archive(stream->filter, err);
	struct archive_entry *entry;

	if (archive_read_next_header(stream->filter, &entry) < ARCHIVE_WARN)
		return say_archive(stream->filter, err);
	return 0;
}

int unpack_stream_open(int blob_fd, const struct unpack_limits *limits, struct unpack_stream **ret,
		       struct err *err)
{
	_cleanup_unpack_stream_ struct unpack_stream *stream = calloc(1, sizeof(*stream));
	int filter = detect_filter(blob_fd);
	struct stat st;

	if (!stream || !(stream->state = digest_new()) || !(stream->buffer = malloc(STREAM_BUFFER)))
		return err_set(err, ENOMEM, "unpack layer");
	if (filter < 0)
		return err_set(err, -filter, "read layer");
	if (fstat(blob_fd, &st) < 0 || lseek(blob_fd, 0, SEEK_SET) < 0)
		return err_set(err, errno, "read layer");
	stream->blob_fd = blob_fd;
	stream->blob_bytes = (uint64_t)st.st_size;
	stream->limits = *limits;
	if (filter != ARCHIVE_FILTER_NONE)
		err_try(open_filter(stream, filter, err));
	*ret = take_ptr(stream);
	return 0;
}

static int check_limits(const struct unpack_stream *stream, struct err *err)
{
	uint64_t done = stream->done_bytes, packed = stream->blob_bytes ? stream->blob_bytes : 1;

	if (done > stream->limits.bytes_max)
		return err_say(err, EFBIG, "more than the limit of %llu bytes in one layer",
			       (unsigned long long)stream->limits.bytes_max);
	if (stream->filter && done > RATIO_FROM_BYTES && done / packed >= stream->limits.ratio_max)
		return err_say(
			err, EFBIG,
			"%llu packed bytes gave %llu and more: over %llu to 1 is taken for an attack",
			(unsigned long long)packed, (unsigned long long)done,
			(unsigned long long)stream->limits.ratio_max);
	return 0;
}

ssize_t unpack_stream_read(struct unpack_stream *stream, const void **ret, struct err *err)
{
	ssize_t n;

	if (stream->filter) {
		n = archive_read_data(stream->filter, stream->buffer, STREAM_BUFFER);
		if (n < 0)
			return say_archive(stream->filter, err);
	} else {
		do
			n = read(stream->blob_fd, stream->buffer, STREAM_BUFFER);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return err_set(err, errno, "read layer");
	}
	stream->done_bytes += (uint64_t)n;
	err_try(check_limits(stream, err));
	digest_update(stream->state, stream->buffer, (size_t)n);
	*ret = stream->buffer;
	return n;
}

int unpack_stream_finish(struct unpack_stream *stream, char ret[static DIGEST_TEXT_SIZE],
			 struct err *err)
{
	char hex[DIGEST_HEX_SIZE];
	const void *data;
	ssize_t n;

	do
		n = unpack_stream_read(stream, &data, err);
	while (n > 0);
	if (n < 0)
		return (int)n;
	digest_final(stream->state, hex);
	snprintf(ret, DIGEST_TEXT_SIZE, "sha256:%s", hex);
	return 0;
}

struct unpack_stream *unpack_stream_close(struct unpack_stream *stream)
{
	if (stream) {
		archive_read_free(stream->filter);
		digest_free(stream->state);
		free(stream->buffer);
		free(stream);
	}
	return NULL;
}
