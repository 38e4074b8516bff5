/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a container: its cgroup tells, or, where the rootless have none, its pid
 * namespace, which no process leaves.
 */
#include "runtime/processes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"

struct found {
	pid_t *pids; /* owned */
	size_t count, size;
};

static void found_deinit(struct found *f)
{
	free(f->pids);
}

static int found_add(struct found *f, pid_t pid)
{
	if (f->count == f->size) {
		size_t size = f->size ? f->size * 2 : 32;
		pid_t *grown = reallocarray(f->pids, size, sizeof(pid_t));

		if (!grown)
			return -ENOMEM;
		f->pids = grown;
		f->size = size;
	}
	f->pids[f->count++] = pid;
	return 0;
}

static int stat_namespace(const char *pid, struct stat *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", pid);
	return stat(path, ret);
}

/* Those of other users, whose namespaces we may not see, are none of ours. */
static int find_by_namespace(const struct container *c, struct found *f, struct err *err)
{
	_cleanup_dir_ DIR *proc = opendir("/proc");
	struct stat own, wanted, st;
	struct dirent *e;
	char init[16];

	snprintf(init, sizeof(init), "%d", c->record.pid);
	if (!proc || stat_namespace("self", &own) < 0 || stat_namespace(init, &wanted) < 0)
		return err_set(err, errno, "find the processes of container %s", c->id);
	if (own.st_ino == wanted.st_ino && own.st_dev == wanted.st_dev)
		return err_say(
			err, EOPNOTSUPP,
			"container %s has neither a cgroup nor a pid namespace of its own, so "
			"its processes cannot be told from others",
			c->id);
	while ((e = readdir(proc))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    stat_namespace(e->d_name, &st) < 0 || st.st_ino != wanted.st_ino)
			continue;
		if (found_add(f, (pid_t)atol(e->d_name)) < 0)
			return err_set(err, ENOMEM, "find the processes of container %s", c->id);
	}
	return 0;
}

int container_pids(const struct container *c, pid_t **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(found_deinit) struct found f = { 0 };
	struct cgroup *cgroup;

	err_try(container_load_cgroup(c, &cgroup, err));
	if (!cgroup_is_none(cgroup))
		return cgroup_pids(cgroup, ret, ret_count, err);
	if (container_is_alive(c))
		err_try(find_by_namespace(c, &f, err));
	*ret = take_ptr(f.pids);
	*ret_count = f.count;
	return 0;
}

/* Held by a pidfd before it is looked at again: its number may have changed hands. */
static int signal_one(const struct container *c, pid_t pid, int signal, struct err *err)
{
	_cleanup_fd_ int fd = process_pidfd_open(pid);
	struct stat wanted, st;
	char text[16], init[16];
	int r;

	snprintf(text, sizeof(text), "%d", pid);
	snprintf(init, sizeof(init), "%d", c->record.pid);
	if (fd < 0 || stat_namespace(text, &st) < 0 || stat_namespace(init, &wanted) < 0 ||
	    st.st_ino != wanted.st_ino)
		return 0;
	r = process_pidfd_signal(fd, signal);
	return r < 0 && r != -ESRCH ? err_set(err, -r, "send signal %d to process %d", signal, pid)
				    : 0;
}

int processes_signal(const struct container *c, int signal, struct err *err)
{
	_cleanup_(found_deinit) struct found f = { 0 };

	if (!container_is_alive(c))
		return 0;
	err_try(find_by_namespace(c, &f, err));
	for (size_t i = 0; i < f.count; i++)
		err_try(signal_one(c, f.pids[i], signal, err));
	return 0;
}
