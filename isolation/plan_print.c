/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as text, a line a step, in the order in which init walks it. */
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "isolation/init/plan_format.h"
#include "isolation/plan.h"

struct name {
	uint64_t flag;
	const char *name;
};

static const struct name attributes[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};

static const struct name cleared[] = {
	{ MOUNT_ATTR_RDONLY, "rw" },	       { MOUNT_ATTR_NOSUID, "suid" },
	{ MOUNT_ATTR_NODEV, "dev" },	       { MOUNT_ATTR_NOEXEC, "exec" },
	{ MOUNT_ATTR_NODIRATIME, "diratime" }, { MOUNT_ATTR_NOSYMFOLLOW, "symfollow" },
};

static const struct name propagations[] = {
	{ MS_PRIVATE, "private" },
	{ MS_SHARED, "shared" },
	{ MS_SLAVE, "slave" },
	{ MS_UNBINDABLE, "unbindable" },
};

static const struct name mount_flags[] = {
	{ PLAN_MOUNT_RECURSIVE, "recursive" },
	{ PLAN_MOUNT_COPY_UP, "copy-up" },
	{ PLAN_MOUNT_LATE_READONLY, "late-ro" },
	{ PLAN_MOUNT_REAL_TARGET, "real-target" },
	{ PLAN_MOUNT_OVER_PROC, "over-proc" },
	{ PLAN_MOUNT_INHERIT_MODE, "inherit-mode" },
	{ PLAN_MOUNT_HOST_FALLBACK, "or-host's" },
	{ PLAN_MOUNT_IDMAP, "idmap" },
	{ PLAN_MOUNT_IDMAP_RECURSIVE, "idmap-recursive" },
	{ PLAN_MOUNT_PROPAGATION_RECURSIVE, "recursive-propagation" },
	{ PLAN_MOUNT_SUPER_READONLY, "super-ro" },
	{ PLAN_MOUNT_REAL_PROC, "real-proc" },
	{ PLAN_MOUNT_REAL_SOURCE, "real-source" },
	{ PLAN_MOUNT_COPY_SYMLINK, "copy-symlink" },
	{ PLAN_MOUNT_SOURCE_NOFOLLOW, "source-nofollow" },
	{ PLAN_MOUNT_TARGET_NOFOLLOW, "target-nofollow" },
};

static const struct name namespaces[] = {
	{ CLONE_NEWUSER, "user" },     { CLONE_NEWPID, "pid" }, { CLONE_NEWNS, "mount" },
	{ CLONE_NEWNET, "network" },   { CLONE_NEWIPC, "ipc" }, { CLONE_NEWUTS, "uts" },
	{ CLONE_NEWCGROUP, "cgroup" }, { 0x80, "time" },
};

static void put_names(struct strbuf *sb, const struct name *names, size_t count, uint64_t flags,
		      const char *prefix)
{
	for (size_t i = 0; i < count; i++)
		if ((flags & names[i].flag) == names[i].flag)
			strbuf_addf(sb, " %s%s", prefix, names[i].name);
}

#define PUT_NAMES(sb, table, flags, prefix) put_names(sb, table, ARRAY_SIZE(table), flags, prefix)

static void put_text(struct strbuf *sb, const struct plan *plan, const char *what, uint32_t string)
{
	if (string)
		strbuf_addf(sb, "%s %s\n", what, plan_string(plan, string));
}

static void put_namespaces(struct strbuf *sb, const struct plan *plan)
{
	if (plan->flags & PLAN_STAGE)
		strbuf_adds(sb, "stage\n");
	if (plan->clone_flags) {
		strbuf_adds(sb, "clone");
		PUT_NAMES(sb, namespaces, plan->clone_flags, "");
		strbuf_adds(sb, "\n");
	}
	if (plan->join_flags) {
		strbuf_adds(sb, "join the container's");
		PUT_NAMES(sb, namespaces, plan->join_flags, "");
		strbuf_adds(sb, "\n");
	}
	PLAN_EACH(plan_namespace, ns, plan, plan->namespaces)
	{
		strbuf_adds(sb, "join");
		PUT_NAMES(sb, namespaces, ns->flag, "");
		strbuf_addf(sb, " %s\n", plan_string(plan, ns->path));
	}
	PLAN_EACH(plan_map, map, plan, plan->uid_maps)
	strbuf_addf(sb, "uid map %u %u %u\n", map->container_id, map->host_id, map->size);
	PLAN_EACH(plan_map, map, plan, plan->gid_maps)
	strbuf_addf(sb, "gid map %u %u %u\n", map->container_id, map->host_id, map->size);
	put_text(sb, plan, "time offsets", plan->time_offsets);
	if (plan->unshare_flags) {
		strbuf_adds(sb, "unshare");
		PUT_NAMES(sb, namespaces, plan->unshare_flags, "");
		strbuf_adds(sb, "\n");
	}
}

static void put_bits(struct strbuf *sb, const struct plan *plan, const char *what,
		     struct plan_list list)
{
	const uint64_t *words = plan_records(plan, list);

	if (list.count)
		strbuf_addf(sb, "%s", what);
	for (uint32_t i = 0; i < list.count * 64; i++)
		if (words[i / 64] >> i % 64 & 1)
			strbuf_addf(sb, " %u", i);
	if (list.count)
		strbuf_adds(sb, "\n");
}

static void put_scheduling(struct strbuf *sb, const struct plan *plan)
{
	const struct plan_scheduler *s = &plan->scheduler;

	put_bits(sb, plan, "cpus", plan->cpus);
	if (plan->flags & PLAN_SCHEDULER)
		strbuf_addf(sb, "scheduler %u nice %d priority %u flags %#llx %llu %llu %llu\n",
			    s->policy, s->nice, s->priority, (unsigned long long)s->flags,
			    (unsigned long long)s->runtime_ns, (unsigned long long)s->deadline_ns,
			    (unsigned long long)s->period_ns);
	if (plan->flags & PLAN_IO_PRIORITY)
		strbuf_addf(sb, "io priority %u class %u\n", plan->io_priority, plan->io_class);
	if (plan->flags & PLAN_MEMORY_POLICY)
		strbuf_addf(sb, "memory policy %u flags %#x\n", plan->memory_mode,
			    plan->memory_flags);
	put_bits(sb, plan, "memory nodes", plan->memory_nodes);
	if (plan->flags & PLAN_PERSONALITY)
		strbuf_addf(sb, "personality %#x\n", plan->personality);
}

static void put_host(struct strbuf *sb, const struct plan *plan)
{
	put_text(sb, plan, "keyring", plan->keyring);
	if (plan->flags & PLAN_LOOPBACK)
		strbuf_adds(sb, "loopback\n");
	put_text(sb, plan, "hostname", plan->hostname);
	put_text(sb, plan, "domainname", plan->domainname);
	PLAN_EACH(plan_sysctl, sysctl, plan, plan->sysctls)
	strbuf_addf(sb, "sysctl %s = %s\n", plan_string(plan, sysctl->path),
		    plan_string(plan, sysctl->value));
}

static void put_attributes(struct strbuf *sb, uint64_t set, uint64_t clear, const char *prefix)
{
	PUT_NAMES(sb, attributes, set, prefix);
	PUT_NAMES(sb, cleared, clear, prefix);
	if (clear & MOUNT_ATTR__ATIME && !(set & MOUNT_ATTR__ATIME))
		strbuf_addf(sb, " %srelatime", prefix);
}

static void put_mount(struct strbuf *sb, const struct plan *plan, const struct plan_mount *m)
{
	static const char *const kinds[] = { "mount", "bind", "remount" };

	strbuf_adds(sb, kinds[m->kind]);
	if (m->type)
		strbuf_addf(sb, " %s", plan_string(plan, m->type));
	if (m->source)
		strbuf_addf(sb, " %s", plan_string(plan, m->source));
	strbuf_addf(sb, " at %s", plan_string(plan, m->target));
	put_attributes(sb, m->set, m->clear, "");
	put_attributes(sb, m->set_recursive, m->clear_recursive, "r");
	PUT_NAMES(sb, propagations, m->propagation, "");
	PUT_NAMES(sb, mount_flags, m->flags, "+");
	PLAN_EACH(plan_map, map, plan, m->uid_maps)
	strbuf_addf(sb, " uid %u->%u*%u", map->container_id, map->host_id, map->size);
	PLAN_EACH(plan_map, map, plan, m->gid_maps)
	strbuf_addf(sb, " gid %u->%u*%u", map->container_id, map->host_id, map->size);
	PLAN_EACH(plan_option, option, plan, m->options)
	{
		strbuf_addf(sb, " %s", plan_string(plan, option->key));
		if (option->value)
			strbuf_addf(sb, "=%s", plan_string(plan, option->value));
	}
	strbuf_adds(sb, "\n");
}

static void put_root(struct strbuf *sb, const struct plan *plan)
{
	put_text(sb, plan, "root", plan->rootfs);
	PLAN_EACH(plan_mount, mount, plan, plan->mounts)
	put_mount(sb, plan, mount);
	PLAN_EACH(plan_device, d, plan, plan->devices)
	strbuf_addf(sb, "device %s %c %u:%u %04o %u:%u\n", plan_string(plan, d->path),
		    S_ISBLK(d->mode)	? 'b'
		    : S_ISFIFO(d->mode) ? 'p'
					: 'c',
		    d->major, d->minor, d->mode & 07777u, d->uid, d->gid);
	PLAN_EACH(plan_link, link, plan, plan->links)
	strbuf_addf(sb, "link %s -> %s\n", plan_string(plan, link->path),
		    plan_string(plan, link->target));
	if (plan->flags & PLAN_TERMINAL)
		strbuf_addf(sb, "terminal %ux%u\n", plan->console_width, plan->console_height);
	PLAN_EACH(plan_hook, hook, plan, plan->create_hooks)
	put_text(sb, plan, "createContainer hook", hook->path);
	PLAN_EACH(plan_path, path, plan, plan->readonly)
	put_text(sb, plan, "read-only", path->path);
	PLAN_EACH(plan_path, path, plan, plan->masked)
	put_text(sb, plan, "mask", path->path);
	if (plan->flags & PLAN_ROOT_READONLY)
		strbuf_adds(sb, "root read-only\n");
	if (plan->flags & PLAN_FILE_SYSTEM)
		strbuf_adds(sb, plan->flags & PLAN_NO_PIVOT ? "move root\n" : "pivot root\n");
	if (plan->root_propagation) {
		strbuf_adds(sb, "root propagation");
		PUT_NAMES(sb, propagations, plan->root_propagation,
			  plan->root_propagation_recursive ? "r" : "");
		strbuf_adds(sb, "\n");
	}
}

static void put_identity(struct strbuf *sb, const struct plan *plan)
{
	static const char *const sets[] = { "bounding", "effective", "inheritable", "permitted",
					    "ambient" };
	const uint32_t *gids = plan_records(plan, plan->gids);

	PLAN_EACH(plan_rlimit, limit, plan, plan->rlimits)
	strbuf_addf(sb, "%s %llu %llu\n", oci_rlimit_name((int)limit->type),
		    (unsigned long long)limit->soft, (unsigned long long)limit->hard);
	if (plan->flags & PLAN_OOM_SCORE_ADJ)
		strbuf_addf(sb, "oom score %d\n", plan->oom_score_adj);
	strbuf_addf(sb, "user %u:%u umask %04o", plan->uid, plan->gid, plan->umask);
	for (uint32_t i = 0; i < plan->gids.count; i++)
		strbuf_addf(sb, " +%u", gids[i]);
	strbuf_adds(sb, "\n");
	for (int set = 0; set < PLAN_CAP_SETS; set++)
		strbuf_addf(sb, "%s %#llx\n", sets[set],
			    (unsigned long long)plan->capabilities[set]);
}

static void put_strings(struct strbuf *sb, const struct plan *plan, const char *what,
			struct plan_list list)
{
	const uint64_t *slots = plan_records(plan, list);

	for (uint32_t i = 0; i < list.count; i++)
		strbuf_addf(sb, "%s %s\n", what, (const char *)plan + slots[i]);
}

static void put_program(struct strbuf *sb, const struct plan *plan)
{
	put_text(sb, plan, "cwd", plan->cwd);
	PLAN_EACH(plan_hook, hook, plan, plan->start_hooks)
	put_text(sb, plan, "startContainer hook", hook->path);
	put_text(sb, plan, "apparmor", plan->apparmor_profile);
	put_text(sb, plan, "selinux", plan->selinux_label);
	if (plan->flags & PLAN_NO_NEW_PRIVILEGES)
		strbuf_adds(sb, "no new privileges\n");
	if (plan->flags & PLAN_SECCOMP)
		strbuf_addf(sb, "seccomp %u instructions, flags %#x\n", plan->filter.count,
			    plan->seccomp_flags);
	if (plan->preserve_fds)
		strbuf_addf(sb, "preserve %u fds\n", plan->preserve_fds);
	put_strings(sb, plan, "env", plan->env);
	put_strings(sb, plan, "arg", plan->args);
}

char *plan_print(const struct plan *plan)
{
	struct strbuf sb = { 0 };

	put_namespaces(&sb, plan);
	put_host(&sb, plan);
	put_root(&sb, plan);
	put_scheduling(&sb, plan);
	put_identity(&sb, plan);
	put_program(&sb, plan);
	return strbuf_take(&sb);
}
