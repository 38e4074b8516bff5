/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Cgroups that systemd makes. Theory of operation: a scope is made around a process and goes with
 * its last one, but our container's first process is to be born in it (CLONE_INTO_CGROUP), with
 * limits and plan ready. So a placeholder stands in:
 *
 *	1 clone it; it does nothing but wait for the end of a pipe, so it dies with us, too
 *	2 StartTransientUnit with its pid; systemd makes and delegates the folder, sets what it knows
 *	3 we make the folders of hierarchies that systemd leaves alone, and the sub-folder
 *	4 cgroup_apply() sets all limits and devices, as in any cgroup
 *	5 the container's process is born in it
 *	6 cgroup_settle(): the placeholder ends
 *
 * It uses no memory of the scope (a page is charged to where it was touched first), but counts as a
 * process: a limit of one process is set after step 6.
 */
/* clang-format on */
#include "cgroups/cgroup_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/userns.h"
#include "cgroups/cgroup_create.h"
#include "cgroups/cgroup_devices.h"
#include "cgroups/systemd_helper.h"

struct placeholder {
	pid_t pid; /* 0: none */
	int pidfd, fd;
};

static void placeholder_end(struct placeholder *p)
{
	int status;

	if (p->pid == 0)
		return;
	process_pidfd_signal(p->pidfd, SIGKILL);
	process_wait(p->pidfd, &status);
	close(p->pidfd);
	close(p->fd);
	p->pid = 0;
}

static int placeholder_start(struct placeholder *ret, struct err *err)
{
	struct placeholder p;
	int fds[2];
	char end;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a process to start the scope with");
	p.pid = process_clone(0, -1, &p.pidfd);
	if (p.pid == 0) {
		/* Whoever waits for the end of what we hold open must not wait for us. */
		dup2(fds[0], 0);
		syscall(SYS_close_range, 1, UINT_MAX, 0);
		while (read(0, &end, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(fds[0]);
	p.fd = fds[1];
	if (p.pid < 0) {
		close(p.fd);
		return err_set(err, -p.pid, "make a process to start the scope with");
	}
	*ret = p;
	return 0;
}

static int build(const struct systemd_unit *unit, const char *id,
		 const struct cgroup_unit_options *o, bool v2, struct systemd_properties *list,
		 struct err *err)
{
	struct oci_resources res = *o->resources;

	if (res.pids_limit.set && res.pids_limit.value == 1)
		res.pids_limit.set = false;
	err_try(systemd_properties_of_unit(unit, id, v2, list, err));
	err_try(systemd_properties_of_limits(&res, v2, NULL, list, err));
	if (!v2)
		err_try(systemd_properties_of_devices(&res, list, err));
	return systemd_properties_of_annotations(o->annotations, o->annotations_count, list, err);
}

/* What has begun by systemd's word becomes a cgroup of ours. */
static int adopt(const char *folder, const struct systemd_unit *unit, bool user,
		 const struct cgroup_unit_options *o, const struct placeholder *p,
		 struct cgroup **ret, struct err *err)
{
	bool sub = o->subgroup && *o->subgroup;
	char path[CGROUP_SUBPATH_MAX];
	struct cgroup *c;

	if (snprintf(path, sizeof(path), "%s%s%s", folder, sub ? "/" : "",
		     sub ? o->subgroup : "") >= (int)sizeof(path))
		return err_set(err, ENAMETOOLONG, "cgroup of %s", unit->name);
	err_try(cgroup_new(path, "", &c, err));
	c->created = c->guarded = true;
	c->user = user;
	snprintf(c->unit, sizeof(c->unit), "%s", unit->name);
	c->held = p->pid > 0;
	c->placeholder_pidfd = p->pidfd;
	c->placeholder_fd = p->fd;
	c->one_process =
		c->held && o->resources->pids_limit.set && o->resources->pids_limit.value == 1;
	*ret = c;
	return cgroup_adopt_folders(c, sub ? p->pid : 0, err);
}

static int check_subgroup(const char *subgroup, struct err *err)
{
	if (!subgroup || (subgroup[0] != '/' && !strstr(subgroup, "..")))
		return 0;
	return err_say(err, EINVAL, "a sub-cgroup '%s' would not be below the container's",
		       subgroup);
}

static int start(const struct systemd_request *request, struct arena *arena, const char **ret,
		 struct err *err)
{
	err_try(systemd_ask(request, arena, ret, err));
	if (!*ret || (*ret)[0] != '/' || !(*ret)[1])
		return err_say(err, EIO, "systemd tells no cgroup of %s", request->unit);
	return 0;
}

int cgroup_create_unit(const char *path, const char *id, const struct cgroup_unit_options *options,
		       struct cgroup **ret, struct err *err)
{
	struct placeholder p = { 0 };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_properties list = { .arena = arena };
	struct systemd_unit unit;
	struct systemd_request request = {
		.verb = SYSTEMD_START,
		.user = userns_is_rootless(),
		.unit = unit.name,
	};
	struct cgroup *c = NULL;
	const char *folder;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "create cgroup");
	err_try(check_subgroup(options->subgroup, err));
	err_try(systemd_unit_parse(path, id, request.user, &unit, err));
	err_try(build(&unit, id, options, cgroup_layout() == CGROUP_V2, &list, err));
	request.properties = list.list;
	request.properties_count = list.count;
	if (!systemd_unit_is_slice(unit.name))
		err_try(placeholder_start(&p, err));
	request.pid = p.pid;
	r = start(&request, arena, &folder, err);
	if (r < 0) {
		placeholder_end(&p);
		return r;
	}
	r = adopt(folder, &unit, request.user, options, &p, &c, err);
	if (r < 0 && !c) {
		placeholder_end(&p);
		cgroup_forget_unit(unit.name, request.user, NULL);
	}
	if (r < 0) {
		cgroup_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int cgroup_open_unit(const char *path, const char *unit, bool user, struct cgroup **ret,
		     struct err *err)
{
	err_try(cgroup_open(path, ret, err));
	snprintf((*ret)->unit, sizeof((*ret)->unit), "%s", unit);
	(*ret)->user = user;
	return 0;
}

const char *cgroup_unit(const struct cgroup *cgroup, bool *ret_user)
{
	if (!cgroup->unit[0])
		return NULL;
	if (ret_user)
		*ret_user = cgroup->user;
	return cgroup->unit;
}

void cgroup_unit_release(struct cgroup *c)
{
	struct placeholder p = { .pid = 1, .pidfd = c->placeholder_pidfd, .fd = c->placeholder_fd };

	if (c->held)
		placeholder_end(&p);
	c->held = false;
}

int cgroup_unit_settle(struct cgroup *c, const struct oci_resources *res, struct err *err)
{
	struct oci_resources rest = { .pids_limit = res->pids_limit };

	cgroup_unit_release(c);
	if (!c->one_process)
		return 0;
	c->one_process = false;
	return cgroup_apply(c, &rest, err);
}

static int64_t read_number(const struct cgroup *c, int i, const char *file, const char **ret_end)
{
	static char text[64];
	char *end;
	int64_t n;

	*ret_end = "";
	if (i < 0 || cgroup_file_read(c, i, file, text, sizeof(text)) <= 0)
		return -1;
	if (strncmp(text, "max", 3) == 0) {
		*ret_end = text + 3;
		return -1;
	}
	n = strtoll(text, &end, 10);
	*ret_end = end;
	return n;
}

static struct systemd_now read_now(const struct cgroup *c)
{
	int memory = c->mounts->v1[CGROUP_MEMORY], cpu = c->mounts->v1[CGROUP_CPU];
	struct systemd_now now;
	const char *rest;

	now.memory_limit_bytes = memory < 0
					 ? read_number(c, c->mounts->v2, "memory.max", &rest)
					 : read_number(c, memory, "memory.limit_in_bytes", &rest);
	now.cpu_quota_us = cpu < 0 ? read_number(c, c->mounts->v2, "cpu.max", &rest)
				   : read_number(c, cpu, "cpu.cfs_quota_us", &rest);
	now.cpu_period_us = cpu < 0 ? strtoull(rest, NULL, 10)
				    : (uint64_t)read_number(c, cpu, "cpu.cfs_period_us", &rest);
	return now;
}

int cgroup_unit_update(const struct cgroup *c, const struct oci_resources *res, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_properties list = { .arena = arena };
	struct systemd_request request = {
		.verb = SYSTEMD_SET,
		.user = c->user,
		.unit = c->unit,
	};
	struct systemd_now now = read_now(c);

	if (!arena)
		return err_set(err, ENOMEM, "update %s", c->unit);
	err_try(systemd_properties_of_limits(res, c->mounts->layout == CGROUP_V2, &now, &list,
					     err));
	if (list.count == 0)
		return 0;
	request.properties = list.list;
	request.properties_count = list.count;
	err_try(systemd_ask(&request, arena, NULL, err));
	return 1;
}

int cgroup_forget_unit(const char *unit, bool user, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct systemd_request request = { .verb = SYSTEMD_STOP, .user = user, .unit = unit };

	if (!arena)
		return err_set(err, ENOMEM, "stop %s", unit);
	return systemd_ask(&request, arena, NULL, err);
}

/* "/a.slice/a-b.slice" of "a-b.slice". 0 or -ENAMETOOLONG. */
static int slice_folder(const char *slice, const char *top, char ret[static CGROUP_SUBPATH_MAX])
{
	int len = snprintf(ret, CGROUP_SUBPATH_MAX, "%s", top);

	for (const char *dash = strchr(slice, '-'); dash && len < CGROUP_SUBPATH_MAX;
	     dash = strchr(dash + 1, '-'))
		len += snprintf(ret + len, CGROUP_SUBPATH_MAX - (size_t)len, "/%.*s.slice",
				(int)(dash - slice), slice);
	if (len < CGROUP_SUBPATH_MAX)
		len += snprintf(ret + len, CGROUP_SUBPATH_MAX - (size_t)len, "/%s", slice);
	return len < CGROUP_SUBPATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Also where nobody can tell. */
static bool is_inhabited(const char *slice, bool user)
{
	char top[96] = "", path[CGROUP_SUBPATH_MAX];
	_cleanup_cgroup_ struct cgroup *c = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	unsigned uid = (unsigned)geteuid();
	size_t count = 0;
	int r;

	if (user)
		snprintf(top, sizeof(top), "/user.slice/user-%u.slice/user@%u.service", uid, uid);
	if (slice_folder(slice, top, path) < 0)
		return true;
	r = cgroup_open(path, &c, NULL);
	if (r == 0)
		r = cgroup_pids(c, &pids, &count, NULL);
	return r == -ENOENT ? false : r < 0 || count > 0;
}

int cgroup_forget_asked_unit(const char *path, const char *id, struct err *err)
{
	bool user = userns_is_rootless();
	struct systemd_unit unit;

	err_try(systemd_unit_parse(path, id, user, &unit, err));
	if (!systemd_unit_is_slice(unit.name) || is_inhabited(unit.name, user))
		return 0;
	return cgroup_forget_unit(unit.name, user, err);
}
