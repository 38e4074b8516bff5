/* SPDX-License-Identifier: Apache-2.0 */
/* Names as symlinks. */
#include "runtime/engine/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "runtime/engine/id.h"

#define TRIES 100 /* a name that is let go at each of them is something else */

static const char *const adjectives[] = {
	"amber",  "ample",  "brave", "bright", "brisk",	 "calm",   "candid", "clear",
	"clever", "cosy",   "crisp", "deft",   "eager",	 "early",  "fair",   "fleet",
	"fond",	  "frank",  "fresh", "gentle", "glad",	 "golden", "grand",  "handy",
	"hardy",  "humble", "jolly", "keen",   "kind",	 "lively", "loyal",  "lucid",
	"mellow", "merry",  "mild",  "modest", "neat",	 "nimble", "noble",  "patient",
	"plain",  "polite", "proud", "quick",  "quiet",	 "ready",  "ripe",   "round",
	"silent", "silver", "sleek", "smart",  "snug",	 "sober",  "solid",  "steady",
	"sunny",  "swift",  "tidy",  "tough",  "trusty", "warm",   "wise",   "young",
};

static const char *const nouns[] = {
	"acorn",   "anchor",  "arbour",	 "barrel", "basin",  "beacon",	"birch",  "bottle",
	"brook",   "candle",  "cask",	 "cedar",  "chest",  "cider",	"clover", "cork",
	"crate",   "cup",     "drum",	 "fern",   "flagon", "flask",	"grape",  "hamper",
	"harbour", "hazel",   "heron",	 "jar",	   "jug",    "kettle",	"keg",	  "ladle",
	"lantern", "larch",   "larder",	 "ledge",  "linnet", "maple",	"meadow", "mortar",
	"oak",	   "orchard", "otter",	 "pantry", "pebble", "pitcher", "plover", "quince",
	"robin",   "rowan",   "saddle",	 "shelf",  "siskin", "spruce",	"stoop",  "tankard",
	"thistle", "trellis", "tumbler", "vault",  "vine",   "wagtail", "walnut", "willow",
};

bool names_is_valid(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name);

	if (!len || len > NAMES_MAX || !strchr(alnum, name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!strchr(alnum, name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}

void names_make_up(uint32_t random, char ret[static NAMES_MAX + 1])
{
	const char *adjective = adjectives[random % ARRAY_SIZE(adjectives)];
	const char *noun = nouns[random / ARRAY_SIZE(adjectives) % ARRAY_SIZE(nouns)];

	snprintf(ret, NAMES_MAX + 1, "%s_%s", adjective, noun);
}

static int names_open(int containers_fd, struct err *err)
{
	int fd = dir_open(containers_fd, ".names", NULL);
	int r;

	if (fd != -ENOENT)
		return fd < 0 ? err_set(err, -fd, "open folder of names") : fd;
	r = dir_create(containers_fd, ".names", 0700, err);
	return r < 0 ? r : dir_open(containers_fd, ".names", err);
}

int names_find(int containers_fd, const char *name, char ret[static LAYOUT_ID_SIZE])
{
	char path[NAMES_MAX + 16], id[LAYOUT_ID_SIZE + 1];
	ssize_t n;

	if (!names_is_valid(name))
		return -ENOENT;
	snprintf(path, sizeof(path), ".names/%s", name);
	n = readlinkat(containers_fd, path, id, sizeof(id));
	if (n != LAYOUT_ID_SIZE - 1)
		return -ENOENT;
	id[n] = '\0';
	if (!id_is_valid(id))
		return -ENOENT;
	memcpy(ret, id, LAYOUT_ID_SIZE);
	return 0;
}

int names_find_of(int containers_fd, const char *id, char ret[static NAMES_MAX + 1])
{
	int fd = dir_open(containers_fd, ".names", NULL);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char owner[LAYOUT_ID_SIZE];
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (names_find(containers_fd, entry->d_name, owner) == 0 &&
		    strcmp(owner, id) == 0) {
			strcpy(ret, entry->d_name);
			return 0;
		}
	return -ENOENT;
}

/* Unlinks the name where it still stands for id. */
static int unlink_of(int containers_fd, int names_fd, const char *name, const char *id,
		     struct err *err)
{
	_cleanup_fd_ int lock = lock_file(names_fd, ".lock", false, false, err);
	char now[LAYOUT_ID_SIZE];

	if (lock < 0)
		return lock;
	if (names_find(containers_fd, name, now) < 0 || strcmp(now, id) != 0)
		return 0;
	if (unlinkat(names_fd, name, 0) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove name %s", name);
	return 0;
}

int names_take(int containers_fd, const char *name, const char *id, struct err *err)
{
	_cleanup_fd_ int fd = names_open(containers_fd, err);
	char owner[LAYOUT_ID_SIZE];
	int r;

	if (fd < 0)
		return fd;
	for (int tries = 0; symlinkat(id, fd, name) < 0; tries++) {
		if (errno != EEXIST || tries == TRIES)
			return err_set(err, errno, "take name %s", name);
		if (names_find(containers_fd, name, owner) < 0)
			continue; /* released just now */
		if (faccessat(containers_fd, owner, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_say(err, EEXIST,
				       "the name \"%s\" is in use by container %.12s; remove that "
				       "one, or choose another name",
				       name, owner);
		r = unlink_of(containers_fd, fd, name, owner, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int names_release(int containers_fd, const char *name, const char *id, struct err *err)
{
	_cleanup_fd_ int fd = names_open(containers_fd, err);

	return fd < 0 ? fd : unlink_of(containers_fd, fd, name, id, err);
}
