/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs by digest: written below content/tmp, digested on the way, renamed when whole. */
#include "storage/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/fd.h"
#include "storage/disk.h"
#include "storage/tmp.h"

struct content_writer {
	struct store *store;
	struct tmp tmp;
	struct digest_state *state;
	char digest[DIGEST_TEXT_SIZE];
	int64_t size_bytes, done_bytes;
};

static const char *hex_of(const char *digest)
{
	return digest + strlen("sha256:");
}

static int check_digest(const char *digest, struct err *err)
{
	if (!digest_is_valid(digest))
		return err_say(err, EINVAL, "'%.100s' is not a SHA-256 digest", digest);
	return 0;
}

int content_find(struct store *store, const char *digest, int64_t size_bytes, struct err *err)
{
	int folder = store_folder(store, STORE_CONTENT, err);
	struct stat st;

	if (folder < 0)
		return folder;
	if (check_digest(digest, err) < 0)
		return -EINVAL;
	if (fstatat(folder, hex_of(digest), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "look for blob %s", digest);
	if (size_bytes >= 0 && st.st_size != size_bytes)
		return err_say(err, EBADMSG, "blob %s has %lld bytes, but %lld were announced",
			       digest, (long long)st.st_size, (long long)size_bytes);
	return 1;
}

int content_open(struct store *store, const char *digest, struct err *err)
{
	int folder = store_folder(store, STORE_CONTENT, err), fd;

	if (folder < 0)
		return folder;
	if (check_digest(digest, err) < 0)
		return -EINVAL;
	fd = openat(folder, hex_of(digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_set(err, errno, "open blob %s", digest) : fd;
}

static int verify_digest(const char *digest, const void *data, size_t len, struct err *err)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(data, len, hex);
	if (strcmp(hex, hex_of(digest)) != 0)
		return err_say(err, EBADMSG, "blob %s is damaged: its content has digest sha256:%s",
			       digest, hex);
	return 0;
}

int content_read(struct store *store, const char *digest, char **ret, size_t *ret_len,
		 struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = content_open(store, digest, err);
	size_t len;
	int r;

	if (fd < 0)
		return fd;
	r = fd_read_all(fd, CONTENT_DOCUMENT_MAX, &text, &len, err);
	if (r < 0)
		return err_add(err, "blob %s", digest);
	r = verify_digest(digest, text, len, err);
	if (r < 0)
		return r;
	*ret = take_ptr(text);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int content_verify(const struct oci_descriptor *descriptor, const void *data, size_t len,
		   struct err *err)
{
	if ((int64_t)len != descriptor->size_bytes)
		return err_say(err, EBADMSG, "blob %s has %zu bytes, but %lld were announced",
			       descriptor->digest, len, (long long)descriptor->size_bytes);
	return verify_digest(descriptor->digest, data, len, err);
}

int content_sweep(struct store *store, struct err *err)
{
	static const enum store_folder folders[] = { STORE_CONTENT_TMP, STORE_LAYERS_TMP };

	if (store->swept)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		int folder = store_folder(store, folders[i], err);

		if (folder < 0 || tmp_sweep(folder, err) < 0)
			return err_add(err, "store %s", store->root);
	}
	store->swept = true;
	return 0;
}

int content_writer_open(struct store *store, const char *digest, int64_t size_bytes,
			struct content_writer **ret, struct err *err)
{
	_cleanup_content_writer_ struct content_writer *writer = calloc(1, sizeof(*writer));
	int folder, r;

	if (!writer)
		return err_set(err, ENOMEM, "write blob %s", digest);
	writer->tmp = (struct tmp)TMP_NONE;
	writer->store = store;
	writer->size_bytes = size_bytes;
	writer->state = digest_new();
	if (!writer->state)
		return err_set(err, ENOMEM, "write blob %s", digest);
	r = check_digest(digest, err);
	if (r < 0)
		return r;
	memcpy(writer->digest, digest, sizeof(writer->digest));
	r = content_sweep(store, err);
	if (r < 0)
		return r;
	folder = store_folder(store, STORE_CONTENT_TMP, err);
	if (folder < 0)
		return folder;
	r = tmp_create_file(folder, &writer->tmp);
	if (r < 0)
		return store_set_error(err, store->root, -r, "create blob %s", digest);
	*ret = take_ptr(writer);
	return 0;
}

int content_write(struct content_writer *writer, const void *data, size_t len, struct err *err)
{
	int r;

	if (writer->size_bytes >= 0 && (int64_t)len > writer->size_bytes - writer->done_bytes)
		return err_say(err, EBADMSG, "blob %s has more than the %lld bytes announced",
			       writer->digest, (long long)writer->size_bytes);
	r = fd_write_all(writer->tmp.fd, data, len);
	if (r < 0)
		return store_set_error(err, writer->store->root, -r, "write blob %s",
				       writer->digest);
	digest_update(writer->state, data, len);
	writer->done_bytes += (int64_t)len;
	return 0;
}

int content_writer_commit(struct content_writer *writer, struct err *err)
{
	int folder = store_folder(writer->store, STORE_CONTENT, err);
	char hex[DIGEST_HEX_SIZE];
	int r = 0;

	if (folder < 0)
		return folder;
	if (writer->size_bytes >= 0 && writer->done_bytes != writer->size_bytes)
		return err_say(err, EBADMSG, "blob %s has %lld bytes, but %lld were announced",
			       writer->digest, (long long)writer->done_bytes,
			       (long long)writer->size_bytes);
	digest_final(writer->state, hex);
	if (strcmp(hex, hex_of(writer->digest)) != 0)
		return err_say(err, EBADMSG, "blob %s is damaged: its content has digest sha256:%s",
			       writer->digest, hex);
	if (fsync(writer->tmp.fd) < 0)
		r = -errno;
	if (r == 0)
		r = tmp_publish(&writer->tmp, folder, hex);
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	if (r < 0)
		return store_set_error(err, writer->store->root, -r, "write blob %s",
				       writer->digest);
	return 0;
}

struct content_writer *content_writer_close(struct content_writer *writer)
{
	if (writer) {
		tmp_drop(&writer->tmp);
		digest_free(writer->state);
		free(writer);
	}
	return NULL;
}

int content_put(struct store *store, const char *digest, const void *data, size_t len,
		struct err *err)
{
	_cleanup_content_writer_ struct content_writer *writer = NULL;
	int r;

	r = content_writer_open(store, digest, (int64_t)len, &writer, err);
	if (r == 0)
		r = content_write(writer, data, len, err);
	if (r == 0)
		r = content_writer_commit(writer, err);
	return r;
}

int content_remove(struct store *store, const char *digest, struct err *err)
{
	int folder = store_folder(store, STORE_CONTENT, err);

	if (folder < 0)
		return folder;
	if (unlinkat(folder, hex_of(digest), 0) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove blob %s", digest);
	return 0;
}
