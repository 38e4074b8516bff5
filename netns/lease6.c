/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 addresses that somebody asked for. All others follow from the IPv4 address. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "netns/lease.h"

#define FOLDER "leases6"

struct in6_addr lease_derive6(const struct network_config *config, struct in_addr address)
{
	struct in6_addr in = config->subnet6;

	memcpy(&in.s6_addr[12], &address, sizeof(address));
	return in;
}

static bool has_lease(int dir_fd, const char *id)
{
	char path[sizeof("leases/by-id/") + NAME_MAX];

	snprintf(path, sizeof(path), "leases/by-id/%s", id);
	return faccessat(dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool owner_of(int dir_fd, const char *path, char owner[static NAME_MAX + 1])
{
	ssize_t n = readlinkat(dir_fd, path, owner, NAME_MAX);

	owner[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int check(const struct network_config *config, struct in_addr address,
		 const struct in6_addr *wanted, const char *text, struct err *err)
{
	static const uint8_t zero[4];
	struct in6_addr own = lease_derive6(config, address);
	char subnet[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &config->subnet6, subnet, sizeof(subnet));
	if (memcmp(wanted, &config->subnet6, 8) != 0)
		return err_say(err, EINVAL, "%s is not an address in %s/64", text, subnet);
	if (memcmp(&wanted->s6_addr[8], zero, 4) == 0 && memcmp(wanted, &own, sizeof(own)) != 0)
		return err_say(err, EINVAL,
			       "%s is one of %s/96, which go with IPv4 addresses: take another",
			       text, subnet);
	return 0;
}

int lease_take6(const char *dir, const char *id, const struct network_config *config,
		struct in_addr address, const struct in6_addr *wanted, struct err *err)
{
	char text[INET6_ADDRSTRLEN], path[sizeof(FOLDER "/") + INET6_ADDRSTRLEN];
	_cleanup_fd_ int dir_fd = dir_open(AT_FDCWD, dir, err), lock_fd = -1;
	char owner[NAME_MAX + 1];
	int r;

	inet_ntop(AF_INET6, wanted, text, sizeof(text));
	snprintf(path, sizeof(path), FOLDER "/%s", text);
	r = dir_fd < 0 ? dir_fd : check(config, address, wanted, text, err);
	if (r == 0)
		r = lock_fd = lock_file(dir_fd, "lock", false, false, err);
	if (r >= 0)
		r = dir_create(dir_fd, FOLDER, 0700, err);
	if (r < 0)
		return err_add(err, "lease %s", text);
	if (owner_of(dir_fd, path, owner)) {
		if (strcmp(owner, id) == 0)
			return 0;
		if (has_lease(dir_fd, owner))
			return err_say(err, EADDRINUSE, "address %s is in use by container %.12s",
				       text, owner);
		unlinkat(dir_fd, path, 0);
	}
	return symlinkat(id, dir_fd, path) < 0 ? err_set(err, errno, "write %s/%s", dir, path) : 0;
}

/* Rare enough to be searched for; most have no such folder. */
void lease_forget6(const char *dir, const char *id)
{
	char path[PATH_MAX], owner[NAME_MAX + 1];
	_cleanup_dir_ DIR *stream = NULL;
	struct dirent *e;

	if (snprintf(path, sizeof(path), "%s/" FOLDER, dir) >= (int)sizeof(path))
		return;
	stream = opendir(path);
	while (stream && (e = readdir(stream)))
		if (owner_of(dirfd(stream), e->d_name, owner) && strcmp(owner, id) == 0)
			unlinkat(dirfd(stream), e->d_name, 0);
}
