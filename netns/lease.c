/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/lease.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"

#define BY_ID "by-id/"
#define INDEX_PATH_SIZE (sizeof(BY_ID) + NAME_MAX)
#define HINT_SIZE INET_ADDRSTRLEN /* "10.77.0.2", padded with newlines */

/* The folder leases/, locked. */
struct ledger {
	int fd, lock_fd;
};

static void ledger_close(struct ledger *l)
{
	cleanup_fd(&l->fd);
	cleanup_fd(&l->lock_fd); /* and with it unlocked */
}

#define _cleanup_ledger_ _cleanup_(ledger_close)

/* Reads a symlink into buf. Length, or -errno; -ENAMETOOLONG where it cannot be one of ours. */
static int read_entry(int fd, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(fd, name, buf, size);

	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return (int)n;
}

static const char *index_path(const char *id, char buf[static INDEX_PATH_SIZE])
{
	snprintf(buf, INDEX_PATH_SIZE, BY_ID "%s", id);
	return buf;
}

/* The address that by-id/ID names. 1, 0 when there is none, <0. */
static int find_by_id(int fd, const char *id, char address[static INET_ADDRSTRLEN], struct err *err)
{
	char path[INDEX_PATH_SIZE];
	struct in_addr in;
	int r = read_entry(fd, index_path(id, path), address, INET_ADDRSTRLEN);

	if (r == -ENOENT)
		return 0;
	/* Anything else but an address would be a path that we then remove: never. */
	if (r < 0 || inet_pton(AF_INET, address, &in) != 1)
		return err_say(err, EINVAL, "leases/%s is not a lease: remove it by hand", path);
	return 1;
}

static bool belongs_to(int fd, const char *address, const char *id)
{
	char owner[NAME_MAX + 1];

	return read_entry(fd, address, owner, sizeof(owner)) >= 0 && strcmp(owner, id) == 0;
}

static int check_id(const char *id, struct err *err)
{
	return path_is_name(id) ? 0 : err_say(err, EINVAL, "'%s' cannot name a lease", id);
}

/* ---- taking ---- */

static int ledger_open(const char *dir, bool create, struct ledger *ret, struct err *err)
{
	_cleanup_fd_ int dir_fd = dir_open(AT_FDCWD, dir, err);
	_cleanup_fd_ int lock_fd = -1;
	int fd;

	if (dir_fd < 0)
		return dir_fd;
	lock_fd = lock_file(dir_fd, "lock", false, false, err);
	if (lock_fd < 0)
		return err_add(err, "%s", dir);
	/* The inner one is made last, so it tells of both. */
	if (create && faccessat(dir_fd, "leases/" BY_ID, F_OK, 0) < 0 &&
	    dir_create(dir_fd, "leases/by-id", 0700, err) < 0)
		return err_add(err, "%s", dir);
	fd = dir_open(dir_fd, "leases", err);
	if (fd < 0)
		return err_add(err, "%s", dir);
	*ret = (struct ledger){ .fd = fd, .lock_fd = take_fd(&lock_fd) };
	return 0;
}

/* What id holds, when it is of this subnet. An unfinished lease is cleared away. 1, 0 or <0. */
static int reuse(const struct ledger *l, const char *id, const struct network_config *config,
		 struct in_addr wanted, struct in_addr *ret, struct err *err)
{
	uint32_t mask = htonl(~UINT32_C(0) << (32 - config->prefix_len));
	char text[INET_ADDRSTRLEN], path[INDEX_PATH_SIZE];
	struct in_addr address;
	int r = find_by_id(l->fd, id, text, err);

	if (r <= 0)
		return r;
	inet_pton(AF_INET, text, &address);
	if (belongs_to(l->fd, text, id)) {
		if ((address.s_addr & mask) == config->subnet.s_addr &&
		    (!wanted.s_addr || wanted.s_addr == address.s_addr)) {
			*ret = address;
			return 1;
		}
		if (unlinkat(l->fd, text, 0) < 0)
			return err_set(err, errno, "remove lease %s", text);
	}
	if (unlinkat(l->fd, index_path(id, path), 0) < 0)
		return err_set(err, errno, "remove leases/%s", path);
	return 0;
}

/* Where the last search ended, as a number inside the subnet; 0 where nothing sensible is found. */
static uint32_t read_hint(const struct ledger *l, const struct network_config *config)
{
	uint32_t hosts = ~UINT32_C(0) >> config->prefix_len, offset;
	char text[HINT_SIZE + 1] = "";
	struct in_addr last;

	if (pread(l->lock_fd, text, HINT_SIZE, 0) <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (inet_pton(AF_INET, text, &last) != 1)
		return 0;
	offset = ntohl(last.s_addr) - ntohl(config->subnet.s_addr);
	return offset <= hosts ? offset : 0;
}

/* Only a hint: that it cannot be written is no reason to fail. */
static void write_hint(const struct ledger *l, const char *address)
{
	char text[HINT_SIZE];
	size_t len = strlen(address);
	ssize_t n;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i < len ? address[i] : '\n';
	n = pwrite(l->lock_fd, text, sizeof(text), 0);
	(void)n;
}

static int write_lease(const struct ledger *l, const char *id, const char *address, struct err *err)
{
	char path[INDEX_PATH_SIZE];
	int code;

	if (symlinkat(address, l->fd, index_path(id, path)) < 0)
		return err_set(err, errno, "write leases/%s", path);
	if (symlinkat(id, l->fd, address) < 0) {
		code = errno;
		unlinkat(l->fd, path, 0);
		return err_set(err, code, "write leases/%s", address);
	}
	write_hint(l, address);
	return 0;
}

static int take_next(const struct ledger *l, const char *id, const struct network_config *config,
		     struct in_addr *ret, struct err *err)
{
	uint32_t last = ~UINT32_C(0) >> config->prefix_len; /* the broadcast address */
	uint32_t offset = read_hint(l, config);
	char text[INET_ADDRSTRLEN];
	struct in_addr address;
	int r;

	for (uint32_t i = 1; i < last; i++) {
		offset = offset + 1 < last ? offset + 1 : 1;
		address.s_addr = htonl(ntohl(config->subnet.s_addr) + offset);
		if (address.s_addr == config->gateway.s_addr)
			continue;
		inet_ntop(AF_INET, &address, text, sizeof(text));
		if (faccessat(l->fd, text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		r = write_lease(l, id, text, err);
		if (r == 0)
			*ret = address;
		return r;
	}
	inet_ntop(AF_INET, &config->subnet, text, sizeof(text));
	return err_say(err, EADDRNOTAVAIL, "no address is free in %s/%u: all %u are leased", text,
		       config->prefix_len, last - 2);
}

static int take_wanted(const struct ledger *l, const char *id, const struct network_config *config,
		       struct in_addr wanted, struct in_addr *ret, struct err *err)
{
	uint32_t last = ~UINT32_C(0) >> config->prefix_len;
	uint32_t offset = ntohl(wanted.s_addr) - ntohl(config->subnet.s_addr);
	char text[INET_ADDRSTRLEN], subnet[INET_ADDRSTRLEN], owner[NAME_MAX + 1];
	int r;

	inet_ntop(AF_INET, &wanted, text, sizeof(text));
	inet_ntop(AF_INET, &config->subnet, subnet, sizeof(subnet));
	if (offset == 0 || offset >= last || wanted.s_addr == config->gateway.s_addr)
		return err_say(err, EINVAL, "%s is not an address for a container in %s/%u", text,
			       subnet, config->prefix_len);
	if (read_entry(l->fd, text, owner, sizeof(owner)) >= 0)
		return err_say(err, EADDRINUSE, "address %s is in use by container %.12s", text,
			       owner);
	r = write_lease(l, id, text, err);
	if (r == 0)
		*ret = wanted;
	return r;
}

int lease_take(const char *dir, const char *id, const struct network_config *config,
	       struct in_addr wanted, struct in_addr *ret, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { -1, -1 };
	int r = check_id(id, err);

	if (r == 0)
		r = ledger_open(dir, true, &l, err);
	if (r == 0)
		r = reuse(&l, id, config, wanted, ret, err);
	if (r == 0 && wanted.s_addr)
		r = take_wanted(&l, id, config, wanted, ret, err);
	else if (r == 0)
		r = take_next(&l, id, config, ret, err);
	return r < 0 ? r : 0;
}

/* ---- giving back ---- */

static int release(const struct ledger *l, const char *id, struct err *err)
{
	char address[INET_ADDRSTRLEN], path[INDEX_PATH_SIZE];
	int r = find_by_id(l->fd, id, address, err);

	if (r <= 0)
		return r;
	if (belongs_to(l->fd, address, id) && unlinkat(l->fd, address, 0) < 0)
		return err_set(err, errno, "remove leases/%s", address);
	if (unlinkat(l->fd, index_path(id, path), 0) < 0)
		return err_set(err, errno, "remove leases/%s", path);
	return 0;
}

int network_lease_release(const char *dir, const char *id, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { -1, -1 };
	char path[PATH_MAX];
	int r = check_id(id, err);

	if (r < 0)
		return r;
	if (snprintf(path, sizeof(path), "%s/leases/" BY_ID "%s", dir, id) >= (int)sizeof(path))
		return err_set(err, ENAMETOOLONG, "look for the lease of %s", id);
	/* Most who ask have none, and then no lock is made nor waited for. */
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "look for %s", path);
	r = ledger_open(dir, false, &l, err);
	if (r == 0)
		r = release(&l, id, err);
	if (r == 0)
		lease_forget6(dir, id);
	return r;
}

/* ---- walking ---- */

struct entry {
	char id[NAME_MAX + 1];
	struct in_addr address;
};

struct entries {
	struct entry *items;
	size_t count, size;
};

static void entries_deinit(struct entries *e)
{
	free(e->items);
}

static int entries_add(struct entries *e, const char *id, const char *address)
{
	if (e->count == e->size) {
		size_t size = e->size ? e->size * 2 : 64;
		struct entry *items = reallocarray(e->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		e->items = items;
		e->size = size;
	}
	snprintf(e->items[e->count].id, sizeof(e->items->id), "%s", id);
	if (inet_pton(AF_INET, address, &e->items[e->count].address) == 1)
		e->count++;
	return 0;
}

/* Invariant 1, where someone's hand or a broken disk undid it. */
static void mend_address(int fd, const char *address)
{
	char owner[NAME_MAX + 1], path[INDEX_PATH_SIZE], held[INET_ADDRSTRLEN];
	struct in_addr in;

	if (inet_pton(AF_INET, address, &in) != 1)
		return;
	if (read_entry(fd, address, owner, sizeof(owner)) < 0 || !path_is_name(owner))
		goto garbage;
	if (symlinkat(address, fd, index_path(owner, path)) == 0)
		return;
	if (errno == EEXIST && find_by_id(fd, owner, held, NULL) == 1 && strcmp(held, address) != 0)
		goto garbage;
	return;
garbage:
	unlinkat(fd, address, 0);
}

static int read_names(int fd, const char *path, int (*fn)(void *data, int fd, const char *name),
		      void *data)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;
	int copy = openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (copy < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return -ENOMEM;
	}
	while (errno = 0, (e = readdir(dir))) {
		int r = fn(data, fd, e->d_name);

		if (r < 0)
			return r;
	}
	return -errno;
}

static int visit_address(void *data, int fd, const char *name)
{
	(void)data;
	mend_address(fd, name);
	return 0;
}

static int visit_id(void *data, int fd, const char *name)
{
	char address[INET_ADDRSTRLEN];

	if (!path_is_name(name) || find_by_id(fd, name, address, NULL) != 1)
		return 0;
	return entries_add(data, name, address);
}

/* The list is read whole first: fn may well release, which takes the lock. */
static int list(const char *dir, struct entries *entries, struct err *err)
{
	_cleanup_ledger_ struct ledger l = { -1, -1 };
	int r;

	if (faccessat(AT_FDCWD, dir, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	r = ledger_open(dir, true, &l, err);
	if (r < 0)
		return r;
	r = read_names(l.fd, ".", visit_address, NULL);
	if (r == 0)
		r = read_names(l.fd, "by-id", visit_id, entries);
	return r < 0 ? err_set(err, -r, "read %s/leases", dir) : 0;
}

int network_lease_each(const char *dir,
		       int (*fn)(void *data, const char *id, struct in_addr address), void *data,
		       struct err *err)
{
	_cleanup_(entries_deinit) struct entries entries = { 0 };
	int r = list(dir, &entries, err);

	for (size_t i = 0; i < entries.count && r >= 0; i++)
		r = fn(data, entries.items[i].id, entries.items[i].address);
	return r < 0 ? r : 0;
}
