/* SPDX-License-Identifier: Apache-2.0 */
/* What only the host's side may decide over a process: id maps, limits, its place in an OOM. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "isolation/launch_parts.h"
#include "isolation/newidmap.h"
#include "spec/oci_config.h"

static int write_proc(pid_t pid, const char *file, const char *text, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write(AT_FDCWD, path, text, err);
}

static bool maps_only(const struct plan *plan, struct plan_list maps, uint32_t id)
{
	const struct plan_map *map = plan_records(plan, maps);

	return maps.count == 1 && map->size == 1 && map->host_id == id;
}

static int write_map(pid_t pid, const struct plan *plan, struct plan_list maps, const char *file,
		     struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };

	PLAN_EACH(plan_map, map, plan, maps)
	strbuf_addf(&text, "%u %u %u\n", map->container_id, map->host_id, map->size);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "write id maps");
	return write_proc(pid, file, text.data, err) < 0
		       ? err_add(err, "map the ids of the user namespace")
		       : 0;
}

static int map_by_helper(enum newidmap_kind kind, pid_t pid, const struct plan *plan,
			 struct plan_list list, struct err *err)
{
	_cleanup_free_ struct oci_id_map *maps = calloc(list.count, sizeof(*maps));
	size_t count = 0;

	if (!maps)
		return err_set(err, ENOMEM, "write id maps");
	PLAN_EACH(plan_map, map, plan, list)
	maps[count++] = (struct oci_id_map){ .container_id = map->container_id,
					     .host_id = map->host_id,
					     .size = map->size };
	return newidmap_write(kind, pid, maps, count, err);
}

/* All that the kernel lets a user without privileges map by himself is his own id. */
static int write_maps_rootless(pid_t pid, const struct plan *plan, struct err *err)
{
	if (maps_only(plan, plan->gid_maps, getegid())) {
		/* The kernel wants this first: a group may be there to deny something. */
		err_try(write_proc(pid, "setgroups", "deny", err));
		err_try(write_map(pid, plan, plan->gid_maps, "gid_map", err));
	} else {
		err_try(map_by_helper(NEWIDMAP_GROUPS, pid, plan, plan->gid_maps, err));
	}
	if (maps_only(plan, plan->uid_maps, geteuid()))
		return write_map(pid, plan, plan->uid_maps, "uid_map", err);
	return map_by_helper(NEWIDMAP_USERS, pid, plan, plan->uid_maps, err);
}

int launch_write_maps(pid_t pid, const struct plan *plan, struct err *err)
{
	if (plan->flags & PLAN_ROOTLESS)
		return write_maps_rootless(pid, plan, err);
	err_try(write_map(pid, plan, plan->gid_maps, "gid_map", err));
	return write_map(pid, plan, plan->uid_maps, "uid_map", err);
}

/* The process cannot be told to, when it is not dumpable; it may have had the score from us. */
static bool has_oom_score(pid_t pid, const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	return file_read(AT_FDCWD, path, 64, &text, NULL, NULL) == 0 && atoi(text) == atoi(wanted);
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
	if ((why.code == EACCES || why.code == EPERM) && has_oom_score(pid, text))
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

	if (plan->flags & (PLAN_USER_NAMESPACE | PLAN_ROOTLESS) ||
	    syscall(SYS_capget, &header, data) < 0)
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
