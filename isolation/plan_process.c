/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a plan: program, identity, limits, terminal, seccomp, hooks that init runs. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "isolation/plan_builder.h"
#include "isolation/seccomp.h"
#include "isolation/seccomp_run.h"

static void put_identity(struct plan_builder *b, const struct oci_process *p,
			 const struct oci_capabilities *caps)
{
	struct plan *head = &b->head;

	head->uid = p->user.uid;
	head->gid = p->user.gid;
	head->umask = p->user.umask.set ? p->user.umask.value : 022;
	head->gids = plan_put_bytes(b, p->user.additional_gids, p->user.additional_gids_count,
				    sizeof(uint32_t));
	head->capabilities[PLAN_CAP_BOUNDING] = caps->bounding;
	head->capabilities[PLAN_CAP_EFFECTIVE] = caps->effective;
	head->capabilities[PLAN_CAP_INHERITABLE] = caps->inheritable;
	head->capabilities[PLAN_CAP_PERMITTED] = caps->permitted;
	head->capabilities[PLAN_CAP_AMBIENT] = caps->ambient;
}

static void put_rlimits(struct plan_builder *b, const struct oci_rlimit *limits, size_t count)
{
	_cleanup_strbuf_ struct strbuf records = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct plan_rlimit limit = { .type = (uint32_t)limits[i].type,
					     .soft = limits[i].soft,
					     .hard = limits[i].hard };

		strbuf_add(&records, &limit, sizeof(limit));
	}
	b->head.rlimits = plan_put_list(b, &records, sizeof(struct plan_rlimit));
}

/* An entry with its name, up to and with the "=" (or the NUL where there is none), so that none is
 * another one's beginning. */
struct variable {
	const char *name;
	size_t len, place;
};

static int compare_names(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	int r = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return r ? r : (x->place > y->place) - (x->place < y->place);
}

/*
 * Which entries are left out, because a later one sets the same variable: the last one counts, and
 * the C library would take the first. Sorted by name, for lists of many thousand entries.
 */
static int find_overridden(const struct oci_process *p, bool *ret, struct err *err)
{
	_cleanup_free_ struct variable *all = calloc(p->env_count + 1, sizeof(*all));

	if (!all)
		return err_set(err, ENOMEM, "plan the environment");
	for (size_t i = 0; i < p->env_count; i++)
		all[i] = (struct variable){ p->env[i], strcspn(p->env[i], "=") + 1, i };
	qsort(all, p->env_count, sizeof(*all), compare_names);
	for (size_t i = 0; i + 1 < p->env_count; i++)
		ret[all[i].place] = all[i].len == all[i + 1].len &&
				    !memcmp(all[i].name, all[i + 1].name, all[i].len);
	return 0;
}

/* Without HOME, or with an empty one, the list gets a last place, which init fills from
 * /etc/passwd. */
static int put_environment(struct plan_builder *b, const struct oci_process *p, struct err *err)
{
	_cleanup_free_ const char **env = calloc(p->env_count + 4, sizeof(*env));
	_cleanup_free_ bool *overridden = calloc(p->env_count + 1, sizeof(*overridden));
	bool has_home = false;
	char listen_fds[32];
	size_t count = 0;

	if (!env || !overridden)
		return err_set(err, ENOMEM, "plan the environment");
	err_try(find_overridden(p, overridden, err));
	for (size_t i = 0; i < p->env_count; i++) {
		if (overridden[i] || strcmp(p->env[i], "HOME=") == 0)
			continue;
		has_home |= strncmp(p->env[i], "HOME=", 5) == 0;
		env[count++] = p->env[i];
	}
	if (b->options->listen_fds > 0) {
		snprintf(listen_fds, sizeof(listen_fds), "LISTEN_FDS=%u", b->options->listen_fds);
		env[count++] = listen_fds;
		env[count++] = "LISTEN_PID=1";
	}
	if (!has_home) {
		b->head.flags |= PLAN_NEEDS_HOME;
		env[count++] = "HOME=/";
	}
	b->head.env = plan_put_strings(b, env);
	return 0;
}

/* The engine asks by annotation for the profile that was compiled when Cellar was built. */
static bool wants_default_seccomp(const struct oci_config *config)
{
	const char *profile = oci_config_annotation(config, "io.cellar.seccomp");

	return profile && strcmp(profile, "default") == 0;
}

/* The filter is in force when the listener is handed over, and when a failure after it is told. */
static int check_listener(const struct sock_filter *filter, struct err *err)
{
	static const struct {
		int nr;
		const char *name;
	} needed[] = { { SYS_sendmsg, "sendmsg" }, { SYS_write, "write" } };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!seccomp_allows_call(filter, needed[i].nr))
			return err_say(err, EINVAL,
				       "linux.seccomp.syscalls: a profile with SCMP_ACT_NOTIFY has "
				       "to allow %s, which handing its listener over takes",
				       needed[i].name);
	return 0;
}

/* A finished program of the caller's is nothing that we could run over calls. */
static bool is_ready(const struct oci_config *config)
{
	return config->seccomp && config->seccomp->ready_filter;
}

/*
 * Somebody inside may trace what enters a running container, or waits in one to be started. A
 * filter with a listener is loaded when its process exists, for the agent is told the pid.
 */
static bool may_be_early(const struct plan_builder *b, const struct seccomp_program *program)
{
	bool labels = b->head.apparmor_profile || b->head.selinux_label;
	bool hooks = b->config->hooks.start_container.count > 0;

	if (b->head.flags & PLAN_LISTENER || program->count == 0 || is_ready(b->config))
		return false;
	if (b->head.flags & PLAN_EXEC)
		return seccomp_allows_exec(program->filter);
	return (hooks || b->options->waits) && seccomp_allows_start(program->filter, hooks, labels);
}

static int put_seccomp(struct plan_builder *b, const struct oci_capabilities *caps, struct err *err)
{
	struct seccomp_program program = { 0 };

	if (b->config->seccomp)
		err_try(seccomp_compile(b->config->seccomp, &program, err));
	else if (wants_default_seccomp(b->config))
		err_try(seccomp_default(caps->bounding, &program, err));
	else
		return 0;
	if (program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
		b->head.flags |= PLAN_LISTENER;
		if (check_listener(program.filter, err) < 0) {
			seccomp_deinit(&program);
			return -err->code;
		}
	}
	if (program.count > 0) {
		b->head.flags |= PLAN_SECCOMP;
		b->head.seccomp_flags = program.flags;
		b->head.filter =
			plan_put_bytes(b, program.filter, program.count, sizeof(*program.filter));
	}
	if (may_be_early(b, &program))
		b->head.flags |= PLAN_EARLY_FILTER;
	seccomp_deinit(&program);
	return 0;
}

static void put_labels(struct plan_builder *b, const struct oci_process *p,
		       const struct oci_process *init)
{
	const char *profile = p->apparmor_profile ? p->apparmor_profile : init->apparmor_profile;
	const char *label = p->selinux_label ? p->selinux_label : init->selinux_label;

	if (profile && *profile)
		b->head.apparmor_profile = plan_put_string(b, profile);
	if (label && *label)
		b->head.selinux_label = plan_put_string(b, label);
}

static struct plan_list put_bits(struct plan_builder *b, const char *list)
{
	uint64_t words[OCI_CPU_WORDS];

	/* The parser took it already. */
	if (!list || oci_cpus_parse(list, words) < 0)
		return (struct plan_list){ 0 };
	return plan_put_bytes(b, words, ARRAY_SIZE(words), sizeof(words[0]));
}

static void put_scheduler(struct plan_builder *b, const struct oci_scheduler *s)
{
	if (!s->set)
		return;
	b->head.flags |= PLAN_SCHEDULER;
	b->head.scheduler = (struct plan_scheduler){
		.policy = s->policy,
		.priority = s->priority,
		.nice = s->nice,
		.flags = s->flags,
		.runtime_ns = s->runtime_ns,
		.deadline_ns = s->deadline_ns,
		.period_ns = s->period_ns,
	};
}

static void put_scheduling(struct plan_builder *b, const struct oci_process *p)
{
	const struct oci_memory_policy *policy = &b->config->memory_policy;
	struct plan *head = &b->head;

	put_scheduler(b, &p->scheduler);
	if (p->io_priority.set) {
		head->flags |= PLAN_IO_PRIORITY;
		head->io_class = p->io_priority.class;
		head->io_priority = p->io_priority.priority;
	}
	if (head->flags & PLAN_EXEC)
		head->cpus = put_bits(b, p->exec_cpus_final);
	if (policy->set) {
		head->flags |= PLAN_MEMORY_POLICY;
		head->memory_mode = policy->mode;
		head->memory_flags = (uint32_t)policy->flags;
		head->memory_nodes = put_bits(b, policy->nodes);
	}
	if (b->config->personality.set) {
		head->flags |= PLAN_PERSONALITY;
		head->personality = b->config->personality.value;
	}
}

static int put_keyring(struct plan_builder *b, struct err *err)
{
	_cleanup_strbuf_ struct strbuf name = { 0 };

	if (b->options->no_new_keyring || !b->options->id)
		return 0;
	strbuf_addf(&name, "_ses.%s", b->options->id);
	if (!strbuf_ok(&name))
		return err_set(err, ENOMEM, "plan the keyring");
	b->head.keyring = plan_put_string(b, name.data);
	return 0;
}

static int check(const struct oci_process *p, struct err *err)
{
	if (p->cwd && p->cwd[0] != '/')
		return err_say(err, EINVAL, "process.cwd: \"%s\" is no absolute path", p->cwd);
	return 0;
}

int plan_put_process(struct plan_builder *b, const struct oci_process *p, struct err *err)
{
	const struct oci_process *init = &b->config->process;
	const struct oci_capabilities *caps =
		p->capabilities.set ? &p->capabilities : &init->capabilities;
	bool own_limits = p->rlimits_count > 0;
	struct plan *head = &b->head;

	err_try(check(p, err));
	head->cwd = plan_put_string(b, p->cwd ? p->cwd : "/");
	head->args = plan_put_strings(b, p->args);
	err_try(put_environment(b, p, err));
	put_identity(b, p, caps);
	put_rlimits(b, own_limits ? p->rlimits : init->rlimits,
		    own_limits ? p->rlimits_count : init->rlimits_count);
	put_labels(b, p, init);
	put_scheduling(b, p);
	err_try(put_keyring(b, err));
	head->preserve_fds = b->options->preserve_fds;
	if (p->terminal) {
		head->flags |= PLAN_TERMINAL;
		head->console_height = p->console_height;
		head->console_width = p->console_width;
	}
	if (p->no_new_privileges)
		head->flags |= PLAN_NO_NEW_PRIVILEGES;
	if (p->oom_score_adj.set || init->oom_score_adj.set) {
		head->flags |= PLAN_OOM_SCORE_ADJ;
		head->oom_score_adj =
			p->oom_score_adj.set ? p->oom_score_adj.value : init->oom_score_adj.value;
	}
	if (b->options->rootless)
		head->flags |= PLAN_ROOTLESS;
	if (b->options->in_userns)
		head->flags |= PLAN_IN_USERNS;
	return put_seccomp(b, caps, err);
}
