/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed text is the base64 of a nonce, the cipher text, and the tag. */
#include "scheduler/store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fd.h"

#define KEY_BYTES 32
#define NONCE_BYTES GCM_IV_SIZE
#define TAG_BYTES GCM_DIGEST_SIZE

struct seal {
	unsigned char key[KEY_BYTES];
};

void seal_wipe(void *data, size_t len)
{
	if (data)
		explicit_bzero(data, len);
	free(data);
}

static int fill_random(void *data, size_t len, struct err *err)
{
	ssize_t got = getrandom(data, len, 0);

	return got == (ssize_t)len ? 0 : err_set(err, got < 0 ? errno : EIO, "get random bytes");
}

/* Whole or not there: nothing sealed by half a key could ever be opened again. */
static int make_key(const char *path, struct err *err)
{
	unsigned char key[KEY_BYTES];
	int r = fill_random(key, sizeof(key), err);

	if (r == 0)
		r = file_replace(AT_FDCWD, path, key, sizeof(key), 0600, true, err);
	explicit_bzero(key, sizeof(key));
	return r;
}

static int read_key(const char *path, struct seal *seal, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char more;

	if (fd < 0)
		return err_set(err, errno, "open the key of the secrets, %s", path);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "open the key of the secrets, %s", path);
	if (st.st_mode & 077)
		return err_say(err, EPERM, "%s: others than its owner may read this key; chmod 600",
			       path);
	if (fd_read_exact(fd, seal->key, KEY_BYTES) < 0 || read(fd, &more, 1) != 0)
		return err_say(err, EBADMSG, "%s: this is no key of %d bytes", path, KEY_BYTES);
	return 0;
}

int seal_open(const char *key_path, bool make, struct seal **ret, struct err *err)
{
	_cleanup_seal_ struct seal *seal = calloc(1, sizeof(*seal));

	if (!seal)
		return err_set(err, ENOMEM, "open %s", key_path);
	if (make && access(key_path, F_OK) < 0 && errno == ENOENT)
		err_try(make_key(key_path, err));
	err_try(read_key(key_path, seal, err));
	*ret = take_ptr(seal);
	return 0;
}

struct seal *seal_close(struct seal *seal)
{
	seal_wipe(seal, sizeof(*seal));
	return NULL;
}

static void begin(const struct seal *seal, const char *label, const unsigned char *nonce,
		  struct gcm_aes256_ctx *ret)
{
	gcm_aes256_set_key(ret, seal->key);
	gcm_aes256_set_iv(ret, NONCE_BYTES, nonce);
	gcm_aes256_update(ret, strlen(label), (const unsigned char *)label);
}

int seal_wrap(const struct seal *seal, const char *label, const void *data, size_t len, char **ret,
	      struct err *err)
{
	size_t size = NONCE_BYTES + len + TAG_BYTES;
	_cleanup_free_ unsigned char *sealed = malloc(size);
	struct gcm_aes256_ctx context;

	if (!sealed)
		return err_set(err, ENOMEM, "seal %s", label);
	err_try(fill_random(sealed, NONCE_BYTES, err));
	begin(seal, label, sealed, &context);
	gcm_aes256_encrypt(&context, len, sealed + NONCE_BYTES, data);
	gcm_aes256_digest(&context, TAG_BYTES, sealed + NONCE_BYTES + len);
	explicit_bzero(&context, sizeof(context));
	*ret = base64_write(sealed, size);
	return *ret ? 0 : err_set(err, ENOMEM, "seal %s", label);
}

static int open_sealed(const struct seal *seal, const char *label, const unsigned char *sealed,
		       size_t len, unsigned char *clear)
{
	struct gcm_aes256_ctx context;
	unsigned char tag[TAG_BYTES];
	bool good;

	begin(seal, label, sealed, &context);
	gcm_aes256_decrypt(&context, len, clear, sealed + NONCE_BYTES);
	gcm_aes256_digest(&context, TAG_BYTES, tag);
	explicit_bzero(&context, sizeof(context));
	good = memeql_sec(tag, sealed + NONCE_BYTES + len, TAG_BYTES);
	if (!good)
		explicit_bzero(clear, len);
	return good ? 0 : -EBADMSG;
}

int seal_unwrap(const struct seal *seal, const char *label, const char *text, void **ret,
		size_t *ret_len, struct err *err)
{
	_cleanup_free_ unsigned char *sealed = malloc(BASE64_ROOM(strlen(text)) + 1), *clear = NULL;
	ssize_t size = sealed ? base64_read(text, sealed) : -ENOMEM;
	size_t len = size < NONCE_BYTES + TAG_BYTES ? 0 : (size_t)size - NONCE_BYTES - TAG_BYTES;

	if (size >= 0 && (size_t)size >= NONCE_BYTES + TAG_BYTES)
		clear = malloc(len + 1);
	else if (size >= 0 || size == -EINVAL)
		return err_say(err, EBADMSG, "%s: this was never sealed", label);
	if (!clear)
		return err_set(err, ENOMEM, "open %s", label);
	if (open_sealed(seal, label, sealed, len, clear) < 0)
		return err_say(err, EBADMSG,
			       "%s: it was sealed with another key, or somebody has changed it",
			       label);
	clear[len] = '\0';
	*ret = take_ptr(clear);
	*ret_len = len;
	return 0;
}
