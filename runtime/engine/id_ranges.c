/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/id_ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "runtime/engine/id.h"
#include "runtime/engine/layout.h"

#define USER "cellar:"
#define IDS_MAX 0xffffffffu

/* The first line of our user: 1, 0 or -EINVAL. */
static int find_line(const char *text, uint64_t *ret_start, uint64_t *ret_count)
{
	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n') {
		char end;
		int n;

		if (strncmp(text, USER, strlen(USER)) != 0)
			continue;
		n = sscanf(text + strlen(USER), "%10" SCNu64 ":%10" SCNu64 "%c", ret_start,
			   ret_count, &end);
		return n == 2 || (n == 3 && end == '\n') ? 1 : -EINVAL;
	}
	return 0;
}

int id_ranges_parse(const char *subuid, const char *subgid, struct id_ranges *ret, struct err *err)
{
	uint64_t start = 0, count = 0, group_start = 0, group_count = 0;
	int u = find_line(subuid, &start, &count);
	int g = find_line(subgid, &group_start, &group_count);

	if (u == 0 && g == 0) {
		*ret = (struct id_ranges){ ID_RANGES_FIRST, ID_RANGES_COUNT };
		return 0;
	}
	if (u != 1 || g != 1 || start != group_start || count != group_count)
		return err_say(err, EINVAL,
			       "/etc/subuid and /etc/subgid: the lines of the user cellar must be "
			       "there in both and say the same, as cellar:1000000:655360");
	if (count < ID_RANGE_SIZE || start == 0 || start + count > IDS_MAX)
		return err_say(err, EINVAL,
			       "/etc/subuid: the line of the user cellar must hold %u ids or more, "
			       "and not that of root",
			       ID_RANGE_SIZE);
	*ret = (struct id_ranges){ (uint32_t)start, (uint32_t)(count / ID_RANGE_SIZE) };
	return 0;
}

static bool is_gone(int containers_fd, const char *id)
{
	char tmp[sizeof(".tmp/") + LAYOUT_ID_SIZE];

	snprintf(tmp, sizeof(tmp), ".tmp/%s", id);
	return faccessat(containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
	       faccessat(containers_fd, tmp, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int read_owner(int dirfd, const char *name, char ret[static LAYOUT_ID_SIZE])
{
	char id[LAYOUT_ID_SIZE + 1];
	ssize_t n = readlinkat(dirfd, name, id, sizeof(id));

	if (n != LAYOUT_ID_SIZE - 1)
		return -ENOENT;
	id[n] = '\0';
	memcpy(ret, id, LAYOUT_ID_SIZE);
	return id_is_valid(ret) ? 0 : -ENOENT;
}

/* 1 when it is ours now, 0 when it is another's. Under the lock. */
static int take_one(int containers_fd, int dirfd, uint32_t base, const char *id, struct err *err)
{
	char name[16], owner[LAYOUT_ID_SIZE];

	snprintf(name, sizeof(name), "%u", base);
	if (symlinkat(id, dirfd, name) == 0)
		return 1;
	if (errno != EEXIST)
		return err_set(err, errno, "take the ids from %s on", name);
	if (read_owner(dirfd, name, owner) == 0 && !is_gone(containers_fd, owner))
		return 0;
	if (unlinkat(dirfd, name, 0) < 0 || symlinkat(id, dirfd, name) < 0)
		return err_set(err, errno, "take the ids from %s on", name);
	return 1;
}

int id_ranges_take(int containers_fd, const struct id_ranges *ranges, const char *id,
		   uint32_t *ret_base, struct err *err)
{
	_cleanup_fd_ int dir = -1, lock = -1;

	if (mkdirat(containers_fd, ".ids", 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "create folder .ids");
	dir = dir_open(containers_fd, ".ids", err);
	if (dir < 0)
		return dir;
	lock = lock_file(dir, ".lock", false, false, err);
	if (lock < 0)
		return lock;
	for (uint32_t i = 0; i < ranges->count; i++) {
		uint32_t base = ranges->first + i * ID_RANGE_SIZE;
		int r = take_one(containers_fd, dir, base, id, err);

		if (r == 1)
			*ret_base = base;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return err_say(
		err, EUSERS,
		"all %u ranges of ids are taken by containers; remove some, or give the user "
		"cellar more in /etc/subuid and /etc/subgid",
		ranges->count);
}

int id_ranges_release(int containers_fd, uint32_t base, const char *id, struct err *err)
{
	_cleanup_fd_ int dir = dir_open(containers_fd, ".ids", NULL), lock = -1;
	char name[16], owner[LAYOUT_ID_SIZE];

	if (dir < 0)
		return dir == -ENOENT ? 0 : err_set(err, -dir, "open folder .ids");
	lock = lock_file(dir, ".lock", false, false, err);
	if (lock < 0)
		return lock;
	snprintf(name, sizeof(name), "%u", base);
	if (read_owner(dir, name, owner) < 0 || strcmp(owner, id) != 0)
		return 0;
	return unlinkat(dir, name, 0) < 0 && errno != ENOENT
		       ? err_set(err, errno, "let go of the ids from %s on", name)
		       : 0;
}
