/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup in the place of the store. In this order: a copy beside it is checked, made later than
 * all that anybody has seen, and renamed over it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "scheduler/master/inside.h"

/* Where the store that is replaced cannot be read, nobody knows how far it was. */
#define UNKNOWN_EPOCHS 1000
#define UNKNOWN_INCARNATIONS 1000000

struct seen {
	uint64_t epoch, incarnations;
};

static int copy_file(const char *from, const char *to, struct err *err)
{
	_cleanup_fd_ int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), out = -1;
	struct stat st;
	ssize_t n;

	if (in < 0 || fstat(in, &st) < 0)
		return err_set(err, errno, "open %s", from);
	if (!S_ISREG(st.st_mode))
		return err_say(err, EINVAL, "%s is no file", from);
	unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_set(err, errno, "write %s", to);
	while ((n = sendfile(out, in, NULL, (size_t)1 << 30)) > 0)
		;
	if (n < 0 || fsync(out) < 0)
		return err_set(err, errno, "write %s", to);
	return 0;
}

static int find_incarnations(void *data, const struct store_change *item, struct err *err)
{
	struct seen *seen = data;
	char text[24] = "";

	(void)err;
	if (strcmp(item->key, PERSIST_INCARNATIONS) == 0 && item->len < sizeof(text)) {
		memcpy(text, item->value, item->len);
		seen->incarnations = strtoull(text, NULL, 10);
	}
	return 0;
}

/* Elects somebody: whoever may still have it open has lost it. */
static int look(struct cell_store *store, struct seen *ret, struct err *err)
{
	uint64_t revision;

	*ret = (struct seen){ 0 };
	err_try(cell_store_elect(store, "ctr cell restore", &ret->epoch, err));
	return cell_store_load(store, find_incarnations, ret, &revision, err);
}

static int make_later(struct cell_store *copy, const struct seen *old, struct err *err)
{
	char text[24];
	struct store_change change = { PERSIST_INCARNATIONS, text, 0 };
	struct seen seen;
	uint64_t epoch;

	err_try(look(copy, &seen, err));
	if (!old->epoch) {
		seen.epoch += UNKNOWN_EPOCHS;
		seen.incarnations += UNKNOWN_INCARNATIONS;
	}
	epoch = seen.epoch > old->epoch ? seen.epoch : old->epoch;
	err_try(cell_store_raise(copy, epoch, err));
	snprintf(text, sizeof(text), "%" PRIu64,
		 seen.incarnations > old->incarnations ? seen.incarnations : old->incarnations);
	change.len = strlen(text);
	return cell_store_commit(copy, epoch, &change, 1, NULL, err);
}

/* Also brings what stands beside the old store home, so that nothing of it is taken for the new
 * one's. */
static void look_at_old(const char *path, struct seen *ret)
{
	_cleanup_cell_store_ struct cell_store *old = NULL;

	*ret = (struct seen){ 0 };
	if (access(path, F_OK) == 0 && cell_store_open(path, &old, NULL) == 0 &&
	    look(old, ret, NULL) < 0)
		*ret = (struct seen){ 0 };
}

static int remove_beside(const char *path, const char *suffix, struct err *err)
{
	char beside[PATH_MAX];

	snprintf(beside, sizeof(beside), "%s%s", path, suffix);
	return unlink(beside) < 0 && errno != ENOENT ? err_set(err, errno, "remove %s", beside) : 0;
}

static int prepare(const char *copy_path, const struct seen *old, struct err *err)
{
	_cleanup_cell_store_ struct cell_store *copy = NULL;

	err_try(cell_store_open(copy_path, &copy, err));
	err_try(cell_store_check(copy, err));
	return make_later(copy, old, err);
}

static int replace(const char *copy_path, const char *store, struct err *err)
{
	char folder[PATH_MAX], *slash;
	_cleanup_fd_ int dir = -1;

	err_try(remove_beside(store, "-wal", err));
	err_try(remove_beside(store, "-shm", err));
	if (rename(copy_path, store) < 0)
		return err_set(err, errno, "replace %s", store);
	snprintf(folder, sizeof(folder), "%s", store);
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	dir = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fsync(dir) < 0 ? err_set(err, errno, "replace %s", store) : 0;
}

int master_restore(const char *backup, const char *store, struct err *err)
{
	char copy[PATH_MAX];
	struct seen old;
	int r;

	if (snprintf(copy, sizeof(copy), "%s.restore", store) >= PATH_MAX - 8)
		return err_say(err, ENAMETOOLONG, "%s: too long a name", store);
	r = copy_file(backup, copy, err);
	if (r == 0) {
		look_at_old(store, &old);
		r = prepare(copy, &old, err);
		if (r < 0)
			err_add(err, "%s is no backup of a cell that can be used", backup);
	}
	if (r == 0)
		r = replace(copy, store, err);
	if (r < 0) {
		unlink(copy);
		remove_beside(copy, "-wal", NULL);
		remove_beside(copy, "-shm", NULL);
	}
	return r;
}
