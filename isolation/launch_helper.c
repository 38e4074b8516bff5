/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newuidmap and newgidmap, the only set-uid files that a rootless container needs: they map, beside
 * the caller's own id, the ranges that /etc/subuid and /etc/subgid give him, and judge the request
 * themselves. What they say to it becomes part of our sentence.
 */
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
#include "isolation/launch_parts.h"

struct helper {
	const char *name, *field, *file;
	uint32_t own; /* the caller's id, which needs no range */
	struct plan_list maps;
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

static char *request(const struct plan *plan, const struct helper *h)
{
	struct strbuf text = { 0 };

	PLAN_EACH(plan_map, map, plan, h->maps)
	strbuf_addf(&text, "%s%u:%u:%u", text.len ? " " : "", map->container_id, map->host_id,
		    map->size);
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

/* What the file gives us, "100000:65536, 300000:1000"; nothing where it has no line of ours. */
static void add_ranges(const char *file, const char *name, struct strbuf *ret)
{
	_cleanup_file_ FILE *f = fopen(file, "re");
	char line[512], uid[16];

	snprintf(uid, sizeof(uid), "%u", geteuid());
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		line[strcspn(line, "\n")] = '\0';
		if (!colon)
			continue;
		*colon = '\0';
		if (strcmp(line, name) == 0 || strcmp(line, uid) == 0)
			strbuf_addf(ret, "%s%s", ret->len ? ", " : "", colon + 1);
	}
}

static int refused(const struct plan *plan, const struct helper *h, char *said, struct err *err)
{
	_cleanup_strbuf_ struct strbuf ranges = { 0 };
	_cleanup_free_ char *asked = request(plan, h);
	const char *prefix = said;
	char name[64];

	find_name(name, sizeof(name));
	add_ranges(h->file, name, &ranges);
	said[strcspn(said, "\n")] = '\0';
	if (strncmp(said, h->name, strlen(h->name)) == 0 &&
	    strncmp(said + strlen(h->name), ": ", 2) == 0)
		prefix = said + strlen(h->name) + 2;
	return err_say(
		err, EPERM, "linux.%s: %s refused %s: %s (beside %u itself, %s gives user %s %s)",
		h->field, h->name, asked ? asked : "them", *prefix ? prefix : "no reason given",
		h->own, h->file, name, ranges.len && strbuf_ok(&ranges) ? ranges.data : "nothing");
}

/* "newuidmap PID INSIDE OUTSIDE SIZE ..." */
static char **make_args(const struct plan *plan, const struct helper *h, pid_t pid,
			char (*words)[12])
{
	char **args = calloc(3 + h->maps.count * 3u, sizeof(*args));
	size_t n = 0;

	if (!args)
		return NULL;
	args[0] = (char *)(uintptr_t)h->name;
	snprintf(words[n], sizeof(*words), "%d", pid);
	args[1] = words[n++];
	PLAN_EACH(plan_map, map, plan, h->maps)
	{
		const uint32_t numbers[] = { map->container_id, map->host_id, map->size };

		for (int i = 0; i < 3; i++, n++) {
			snprintf(words[n], sizeof(*words), "%u", numbers[i]);
			args[n + 1] = words[n];
		}
	}
	return args;
}

/* With nothing of ours but where it writes its complaint. */
static int spawn(const char *path, char **args, int said, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	char *env[] = { NULL };
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, said, 1);
	posix_spawn_file_actions_adddup2(&files, said, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(ret, path, &files, &attr, args, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
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

static int map_by(const struct helper *h, pid_t pid, const struct plan *plan, struct err *err)
{
	_cleanup_free_ char(*words)[12] = calloc(1 + h->maps.count * 3u, sizeof(*words));
	_cleanup_free_ char **args = words ? make_args(plan, h, pid, words) : NULL;
	char path[PATH_MAX], said[256] = "";
	int r;

	if (!args)
		return err_set(err, ENOMEM, "write id maps");
	if (find_program(h->name, path) < 0)
		return err_say(
			err, EPERM,
			"linux.%s: a user who is not root may map his own id %u only; more takes "
			"%s, which is not installed (Debian and Ubuntu have it in the package uidmap)",
			h->field, h->own, h->name);
	r = run(path, args, said, sizeof(said), err);
	return r > 0 ? refused(plan, h, said, err) : r;
}

int launch_map_users(pid_t pid, const struct plan *plan, struct err *err)
{
	const struct helper h = { "newuidmap", "uidMappings", "/etc/subuid", geteuid(),
				  plan->uid_maps };

	return map_by(&h, pid, plan, err);
}

int launch_map_groups(pid_t pid, const struct plan *plan, struct err *err)
{
	const struct helper h = { "newgidmap", "gidMappings", "/etc/subgid", getegid(),
				  plan->gid_maps };

	return map_by(&h, pid, plan, err);
}
