/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and signalling the processes of a cgroup. */
#include "cgroups/cgroup_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define PROCS_MAX (16 << 20)

struct pid_list {
	pid_t *pids;
	size_t count, size;
};

static int add_pid(struct pid_list *list, pid_t pid)
{
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 32;
		pid_t *grown = reallocarray(list->pids, size, sizeof(pid_t));

		if (!grown)
			return -ENOMEM;
		list->pids = grown;
		list->size = size;
	}
	list->pids[list->count++] = pid;
	return 0;
}

static int visit_procs(int fd, int parent_fd, const char *name, void *arg)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read(fd, "cgroup.procs", PROCS_MAX, &text, NULL, NULL);

	(void)parent_fd;
	(void)name;
	/* Vanished; or a threaded cgroup, whose processes are listed by the domain above it. */
	if (r == -ENODEV || r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		return r;
	for (char *p = text; *p;) {
		long pid = strtol(p, &p, 10);

		/* 0 stands for a process outside our pid namespace; kill(0) would be ourselves. */
		if (pid > 0 && (r = add_pid(arg, (pid_t)pid)) < 0)
			return r;
		while (*p == '\n')
			p++;
	}
	return 0;
}

int cgroup_hierarchy_pids(const struct cgroup *c, int i, pid_t **ret, size_t *ret_count)
{
	struct pid_list list = { 0 };
	int r = cgroup_walk(c, i, visit_procs, &list);

	if (r < 0) {
		free(list.pids);
		return r;
	}
	*ret = list.pids;
	*ret_count = list.count;
	return 0;
}

int cgroup_process_hierarchy(const struct cgroup *c)
{
	return c->mounts->v2 >= 0 ? c->mounts->v2 : 0;
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct err *err)
{
	int r;

	if (cgroup_is_none(cgroup))
		return err_say(err, EOPNOTSUPP, "there is no cgroup to tell its processes");
	r = cgroup_hierarchy_pids(cgroup, cgroup_process_hierarchy(cgroup), ret, ret_count);
	return r < 0 ? err_set(err, -r, "list the processes of cgroup %s", cgroup->path) : 0;
}

/* Those that vanish on the way count as reached. */
static int signal_each(const struct cgroup *c, int i, int signal)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t count;
	int r = cgroup_hierarchy_pids(c, i, &pids, &count);

	for (size_t k = 0; r == 0 && k < count; k++)
		if (kill(pids[k], signal) < 0 && errno != ESRCH)
			r = -errno;
	return r;
}

static int visit_thaw(int fd, int parent_fd, const char *name, void *arg)
{
	(void)parent_fd;
	(void)name;
	(void)arg;
	file_write(fd, "freezer.state", "THAWED", NULL);
	return 0;
}

/* A process in a frozen freezer of v1 does not even die. */
static void thaw_v1(const struct cgroup *c)
{
	int freezer = c->mounts->v1[CGROUP_FREEZER];

	if (freezer >= 0)
		cgroup_walk(c, freezer, visit_thaw, NULL);
}

/* Frozen, nobody forks between the reading of the list and the signal. */
static int signal_all(const struct cgroup *c, int signal)
{
	bool thaw = cgroup_is_frozen(c) == 0 && cgroup_freeze(c, true, NULL) == 0;
	int r = signal_each(c, cgroup_process_hierarchy(c), signal);

	if (thaw)
		cgroup_freeze(c, false, NULL);
	return r;
}

static bool kill_v2(const struct cgroup *c)
{
	return c->mounts->v2 >= 0 && cgroup_file_write(c, c->mounts->v2, "cgroup.kill", "1") == 0;
}

int cgroup_kill_all(const struct cgroup *c, unsigned busy)
{
	int r = kill_v2(c) ? 0 : signal_all(c, SIGKILL);

	for (int i = 0; i < (int)c->mounts->count && r == 0; i++)
		if (busy & 1u << i && i != cgroup_process_hierarchy(c))
			r = signal_each(c, i, SIGKILL);
	thaw_v1(c);
	return r;
}

int cgroup_signal(const struct cgroup *cgroup, int signal, struct err *err)
{
	int r = 0;

	if (cgroup_is_none(cgroup))
		return err_say(err, EOPNOTSUPP, "there is no cgroup to tell its processes");
	if (signal == SIGKILL)
		r = cgroup_kill_all(cgroup, 0);
	else
		r = signal_all(cgroup, signal);
	return r < 0 ? err_set(err, -r, "send signal %d to cgroup %s", signal, cgroup->path) : 0;
}
