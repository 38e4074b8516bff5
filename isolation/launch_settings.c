/* SPDX-License-Identifier: Apache-2.0 */
/* What only the host's side may decide over a process: id maps, limits, its place in an OOM. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "isolation/launch_parts.h"
#include "spec/oci_config.h"

static int write_proc(pid_t pid, const char *file, const char *text, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write(AT_FDCWD, path, text, err);
}

/* Without privileges only a helper with the setuid bit may map what /etc/subuid gives us. */
static int map_by_helper(const char *helper, pid_t pid, const struct plan *plan,
			 struct plan_list maps, struct err *err)
{
	_cleanup_free_ char(*words)[12] = calloc(1 + maps.count * 3u, sizeof(*words));
	_cleanup_free_ char **argv = calloc(3 + maps.count * 3u, sizeof(*argv));
	char *env[] = { NULL };
	size_t n = 0;
	pid_t child;
	int r, status;

	if (!words || !argv)
		return err_set(err, ENOMEM, "write id maps");
	snprintf(words[n], sizeof(*words), "%d", pid);
	argv[0] = (char *)(uintptr_t)helper;
	argv[1] = words[n++];
	PLAN_EACH(plan_map, map, plan, maps)
	{
		const uint32_t numbers[] = { map->container_id, map->host_id, map->size };

		for (int i = 0; i < 3; i++, n++) {
			snprintf(words[n], sizeof(*words), "%u", numbers[i]);
			argv[n + 1] = words[n];
		}
	}
	r = posix_spawnp(&child, helper, NULL, NULL, argv, env);
	if (r != 0)
		return err_set(err, r, "run %s to map the ids of the user namespace", helper);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for %s", helper);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_say(err, EPERM, "%s refused the id maps; see /etc/subuid, /etc/subgid",
			       helper);
	return 0;
}

static int write_map(pid_t pid, const struct plan *plan, struct plan_list maps, const char *file,
		     const char *helper, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };

	PLAN_EACH(plan_map, map, plan, maps)
	strbuf_addf(&text, "%u %u %u\n", map->container_id, map->host_id, map->size);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "write id maps");
	if (write_proc(pid, file, text.data, err) == 0)
		return 0;
	if (err && err->code == EPERM && plan->flags & PLAN_ROOTLESS)
		return map_by_helper(helper, pid, plan, maps, err);
	return err_add(err, "map the ids of the user namespace");
}

int launch_write_maps(pid_t pid, const struct plan *plan, struct err *err)
{
	/* The kernel wants this before a gid map that an unprivileged process writes. */
	if (plan->flags & PLAN_ROOTLESS && plan->gid_maps.count == 1)
		err_try(write_proc(pid, "setgroups", "deny", err));
	err_try(write_map(pid, plan, plan->gid_maps, "gid_map", "newgidmap", err));
	return write_map(pid, plan, plan->uid_maps, "uid_map", "newuidmap", err);
}

int launch_set_oom_score(pid_t pid, const struct plan *plan, struct err *err)
{
	struct err why = { 0 };
	char text[16];

	if (!(plan->flags & PLAN_OOM_SCORE_ADJ))
		return 0;
	snprintf(text, sizeof(text), "%d", plan->oom_score_adj);
	if (write_proc(pid, "oom_score_adj", text, &why) == 0)
		return 0;
	if (why.code == EACCES || why.code == EPERM) {
		log_warn("process.oomScoreAdj: %s is lower than this host allows without "
			 "CAP_SYS_RESOURCE; left as it is",
			 text);
		return 0;
	}
	return err_say(err, why.code, "process.oomScoreAdj: %s", why.text);
}

int launch_set_limits(pid_t pid, const struct plan *plan, struct err *err)
{
	PLAN_EACH(plan_rlimit, limit, plan, plan->rlimits)
	{
		struct rlimit wanted = { limit->soft, limit->hard }, now;
		const char *name = oci_rlimit_name((int)limit->type);

		if (prlimit(pid, (int)limit->type, &wanted, NULL) == 0)
			continue;
		if (errno == EPERM && getrlimit((int)limit->type, &now) == 0)
			return err_say(err, EPERM,
				       "process.rlimits: %s: the hard limit %llu is above this "
				       "host's %llu, which takes CAP_SYS_RESOURCE to raise",
				       name, (unsigned long long)wanted.rlim_max,
				       (unsigned long long)now.rlim_max);
		return err_set(err, errno, "process.rlimits: %s", name);
	}
	return 0;
}

void launch_warn_capabilities(const struct plan *plan)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t wanted = 0, held;

	if (plan->flags & PLAN_USER_NAMESPACE || syscall(SYS_capget, &header, data) < 0)
		return;
	held = data[0].permitted | (uint64_t)data[1].permitted << 32;
	for (int set = 0; set < PLAN_CAP_SETS; set++)
		wanted |= plan->capabilities[set];
	for (int cap = 0; cap < 64; cap++)
		if ((wanted & ~held) >> cap & 1)
			log_warn("process.capabilities: %s is not to be had on this host and is "
				 "left out",
				 oci_capability_name(cap) ? oci_capability_name(cap) : "unknown");
}
