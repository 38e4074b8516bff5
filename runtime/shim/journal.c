/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/shim/proto.h"

#define FILE_MAX (8u << 20)

static int write_message(const char *bundle, const char *name, const void *message, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char path[PATH_MAX];
	int r = path_join(path, sizeof(path), bundle, name, err);

	if (r < 0)
		return r;
	proto_pack(message, &text);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "write %s", path);
	return file_replace(AT_FDCWD, path, text.data, text.len, 0600, false, err);
}

int journal_write_create(const char *bundle, const Task__CreateRequest *request,
			 const uint64_t pipes[static 3], struct err *err)
{
	Journal__Create create = JOURNAL__CREATE__INIT;

	create.version = JOURNAL_VERSION;
	create.request = (Task__CreateRequest *)(uintptr_t)request;
	create.pipes = (uint64_t *)(uintptr_t)pipes;
	create.n_pipes = 3;
	return write_message(bundle, JOURNAL_CREATE, &create, err);
}

int journal_write_state(const char *bundle, const Journal__State *state, struct err *err)
{
	Journal__State versioned = *state;

	versioned.version = JOURNAL_VERSION;
	return write_message(bundle, JOURNAL_STATE, &versioned, err);
}

static int open_create(const char *bundle, struct err *err)
{
	char path[PATH_MAX];
	int r = path_join(path, sizeof(path), bundle, JOURNAL_CREATE, err), fd;

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_set(err, errno, "open %s", path) : fd;
}

int journal_lock(const char *bundle, struct err *err)
{
	int fd = open_create(bundle, err);

	/* Nobody else holds it for longer than a look takes. */
	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		return err_set(err, errno, "lock %s/" JOURNAL_CREATE, bundle);
	}
	return fd;
}

bool journal_is_orphaned(const char *bundle)
{
	_cleanup_fd_ int fd = open_create(bundle, NULL);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0;
}

static int read_message(const char *bundle, const char *name,
			const ProtobufCMessageDescriptor *type, void *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int r = path_join(path, sizeof(path), bundle, name, err);

	if (r == 0)
		r = file_read(AT_FDCWD, path, FILE_MAX, &text, &len, err);
	if (r == 0)
		r = proto_unpack(type, text, len, ret, err);
	return r < 0 && r != -ENOENT ? err_add(err, "read %s", path) : r;
}

static int check_version(uint32_t version, const char *bundle, const char *name, struct err *err)
{
	if (version <= JOURNAL_VERSION)
		return 0;
	return err_say(err, EPROTO, "%s/%s was written by a newer Cellar", bundle, name);
}

int journal_read_create(const char *bundle, Journal__Create **ret, struct err *err)
{
	_cleanup_proto_ Journal__Create *create = NULL;
	int r = read_message(bundle, JOURNAL_CREATE, &journal__create__descriptor, &create, err);

	if (r == 0)
		r = check_version(create->version, bundle, JOURNAL_CREATE, err);
	if (r == 0 && !create->request)
		r = err_say(err, EBADMSG, "%s/" JOURNAL_CREATE " holds no request", bundle);
	if (r == 0)
		*ret = take_ptr(create);
	return r;
}

int journal_read_state(const char *bundle, Journal__State **ret, struct err *err)
{
	_cleanup_proto_ Journal__State *state = NULL;
	int r = read_message(bundle, JOURNAL_STATE, &journal__state__descriptor, &state, err);

	if (r == 0)
		r = check_version(state->version, bundle, JOURNAL_STATE, err);
	if (r == 0)
		*ret = take_ptr(state);
	return r;
}
