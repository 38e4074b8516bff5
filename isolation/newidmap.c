/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newuidmap and newgidmap, the only set-uid files that a rootless container needs: they map, beside
 * the caller's own id, the ranges that /etc/subuid and /etc/subgid give him, and judge the request
 * themselves. What they say to it becomes part of our sentence.
 */
#include "isolation/newidmap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"

static const char *const names[] = {
	[NEWIDMAP_USERS] = "newuidmap",
	[NEWIDMAP_GROUPS] = "newgidmap",
};
static const char *const files[] = {
	[NEWIDMAP_USERS] = "/etc/subuid",
	[NEWIDMAP_GROUPS] = "/etc/subgid",
};
static const char *const fields[] = {
	[NEWIDMAP_USERS] = "linux.uidMappings",
	[NEWIDMAP_GROUPS] = "linux.gidMappings",
};

struct helper {
	const char *name, *field, *file;
	uint32_t own; /* the caller's id, which needs no range */
	const struct oci_id_map *maps;
	size_t count;
};

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* In PATH, then where it usually is. No relative folder: what lies there may be anybody's. */
static int find_program(const char *name, char ret[static PATH_MAX])
{
	static const char usual[] = "/usr/bin:/bin:/usr/local/bin:/run/wrappers/bin";
	const char *lists[] = { getenv("PATH"), usual };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (const char *p = lists[i]; p && *p; p += strcspn(p, ":"), p += *p == ':') {
			int n = snprintf(ret, PATH_MAX, "%.*s/%s", (int)strcspn(p, ":"), p, name);

			if (*p == '/' && n < PATH_MAX && is_program(ret))
				return 0;
		}
	}
	return -ENOENT;
}

static char *request(const struct helper *h)
{
	struct strbuf text = { 0 };

	for (size_t i = 0; i < h->count; i++)
		strbuf_addf(&text, "%s%u:%u:%u", i ? " " : "", h->maps[i].container_id,
			    h->maps[i].host_id, h->maps[i].size);
	return strbuf_take(&text);
}

/* Our name as the files have it; a static program has no name service. */
static void find_name(char *buf, size_t size)
{
	_cleanup_file_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd *entry;

	snprintf(buf, size, "%u", geteuid());
	while (f && (entry = fgetpwent(f)))
		if (entry->pw_uid == geteuid()) {
			snprintf(buf, size, "%s", entry->pw_name);
			return;
		}
}

/* The next line of ours in the file, behind our name: "100000:65536". NULL at the end. */
static char *next_range(FILE *f, const char *name, char *line, size_t size)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", geteuid());
	while (f && fgets(line, (int)size, f)) {
		char *colon = strchr(line, ':');

		line[strcspn(line, "\n")] = '\0';
		if (!colon)
			continue;
		*colon = '\0';
		if (strcmp(line, name) == 0 || strcmp(line, uid) == 0)
			return colon + 1;
	}
	return NULL;
}

size_t newidmap_ranges(enum newidmap_kind kind, struct oci_id_map *ret, size_t max)
{
	_cleanup_file_ FILE *f = fopen(files[kind], "re");
	char name[64], line[512], *range, path[PATH_MAX];
	uint32_t next = 1;
	size_t count = 0;

	if (find_program(names[kind], path) < 0)
		return 0;
	find_name(name, sizeof(name));
	while (count < max && (range = next_range(f, name, line, sizeof(line)))) {
		struct oci_id_map *map = &ret[count];

		if (sscanf(range, "%u:%u", &map->host_id, &map->size) != 2 || map->size == 0 ||
		    map->size > UINT32_MAX - next)
			continue;
		map->container_id = next;
		next += map->size;
		count++;
	}
	return count;
}

static int refused(const struct helper *h, char *said, struct err *err)
{
	_cleanup_strbuf_ struct strbuf ranges = { 0 };
	_cleanup_file_ FILE *f = fopen(h->file, "re");
	_cleanup_free_ char *asked = request(h);
	const char *prefix = said;
	char name[64], line[512], *range;

	find_name(name, sizeof(name));
	while ((range = next_range(f, name, line, sizeof(line))))
		strbuf_addf(&ranges, "%s%s", ranges.len ? ", " : "", range);
	said[strcspn(said, "\n")] = '\0';
	if (strncmp(said, h->name, strlen(h->name)) == 0 &&
	    strncmp(said + strlen(h->name), ": ", 2) == 0)
		prefix = said + strlen(h->name) + 2;
	return err_say(err, EPERM, "%s: %s refused %s: %s (beside %u itself, %s gives user %s %s)",
		       h->field, h->name, asked ? asked : "them",
		       *prefix ? prefix : "no reason given", h->own, h->file, name,
		       ranges.len && strbuf_ok(&ranges) ? ranges.data : "nothing");
}

/* "newuidmap PID INSIDE OUTSIDE SIZE ..." */
static char **make_args(const struct helper *h, pid_t pid, char (*words)[12])
{
	char **args = calloc(3 + h->count * 3, sizeof(*args));
	size_t n = 0;

	if (!args)
		return NULL;
	args[0] = (char *)(uintptr_t)h->name;
	snprintf(words[n], sizeof(*words), "%d", pid);
	args[1] = words[n++];
	for (size_t i = 0; i < h->count; i++) {
		const struct oci_id_map *map = &h->maps[i];
		const uint32_t numbers[] = { map->container_id, map->host_id, map->size };

		for (size_t k = 0; k < ARRAY_SIZE(numbers); k++, n++) {
			snprintf(words[n], sizeof(*words), "%u", numbers[k]);
			args[n + 1] = words[n];
		}
	}
	return args;
}

/* With nothing of ours but where it writes its complaint. */
static int spawn(const char *path, char **args, int said, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *env[] = { NULL };
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, said, 1);
	posix_spawn_file_actions_adddup2(&actions, said, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(ret, path, &actions, &attr, args, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* ret_said: its first bytes. 0 when it did as asked, 1 when not, -errno. */
static int run(const char *path, char **args, char *ret_said, size_t size, struct err *err)
{
	_cleanup_fd_ int from = -1, to = -1;
	size_t len = 0;
	int fds[2], status, r;
	ssize_t n;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	from = fds[0];
	to = fds[1];
	r = spawn(path, args, to, &child);
	if (r != 0)
		return err_set(err, r, "run %s to map the ids of the user namespace", path);
	close(take_fd(&to));
	while (len < size - 1 &&
	       ((n = read(from, ret_said + len, size - 1 - len)) > 0 || (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	ret_said[len] = '\0';
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for %s", path);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

int newidmap_write(enum newidmap_kind kind, pid_t pid, const struct oci_id_map *maps, size_t count,
		   struct err *err)
{
	const struct helper h = { .name = names[kind],
				  .field = fields[kind],
				  .file = files[kind],
				  .own = kind == NEWIDMAP_USERS ? geteuid() : getegid(),
				  .maps = maps,
				  .count = count };
	_cleanup_free_ char(*words)[12] = calloc(1 + count * 3, sizeof(*words));
	_cleanup_free_ char **args = words ? make_args(&h, pid, words) : NULL;
	char path[PATH_MAX], said[256] = "";
	int r;

	if (!args)
		return err_set(err, ENOMEM, "write id maps");
	if (find_program(h.name, path) < 0)
		return err_say(
			err, EPERM,
			"%s: a user who is not root may map his own id %u only; more takes %s, which is not installed (Debian and Ubuntu have it in the package uidmap)",
			h.field, h.own, h.name);
	r = run(path, args, said, sizeof(said), err);
	return r > 0 ? refused(&h, said, err) : r;
}
