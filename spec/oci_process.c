/* SPDX-License-Identifier: Apache-2.0 */
/* "process" of config.json: what is executed, as whom, within which limits. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "spec/oci_parse.h"

static int parse_gids(const struct json_node *node, struct arena *arena, struct oci_user *user,
		      struct err *err)
{
	struct json_node array;
	uint32_t *gids;
	size_t count;
	int r = json_get_array(node, "additionalGids", &array, &count, err);

	if (r <= 0)
		return r;
	gids = arena_calloc(arena, count + 1, sizeof(*gids));
	if (!gids)
		return err_set(err, ENOMEM, "read process");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);
		uint64_t gid;

		err_try(json_u64(&item, UINT32_MAX, &gid, err));
		gids[i] = (uint32_t)gid;
	}
	user->additional_gids = gids;
	user->additional_gids_count = count;
	return 0;
}

static int parse_user(const struct json_node *process, struct arena *arena, struct oci_user *user,
		      struct err *err)
{
	struct json_node node;
	int r = json_get_object(process, "user", &node, err);

	if (r <= 0)
		return r;
	err_try(json_get_u32(&node, "uid", &user->uid, err));
	err_try(json_get_u32(&node, "gid", &user->gid, err));
	err_try(json_get_string(&node, "username", arena, &user->username, err));
	err_try(oci_parse_opt_u32(&node, "umask", &user->umask, err));
	if (user->umask.set && user->umask.value > 0777) {
		struct json_node umask;

		json_get(&node, "umask", &umask, err);
		return json_bad(&umask, err, "%u is larger than 511 (octal 0777)",
				user->umask.value);
	}
	return parse_gids(&node, arena, user, err);
}

static int parse_capability_set(const struct json_node *node, const char *key, uint64_t *ret,
				struct err *err)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct json_node array;
	size_t count;
	int r = json_get_array(node, key, &array, &count, err);

	if (r <= 0)
		return r;
	arena = arena_new();
	if (!arena)
		return err_set(err, ENOMEM, "read capabilities");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);
		const char *name = NULL;
		int cap;

		err_try(json_string(&item, arena, &name, err));
		cap = oci_capability_parse(name);
		/* config.md: what cannot be mapped to the kernel must be logged, not refused. */
		if (cap < 0)
			log_warn("process.capabilities.%s[%zu]: unknown capability \"%s\" ignored",
				 key, i, name);
		else
			*ret |= 1ULL << cap;
	}
	return 0;
}

static int parse_capabilities(const struct json_node *process, struct oci_capabilities *caps,
			      struct err *err)
{
	struct json_node node;
	int r = json_get_object(process, "capabilities", &node, err);

	if (r <= 0)
		return r;
	caps->set = true;
	err_try(parse_capability_set(&node, "bounding", &caps->bounding, err));
	err_try(parse_capability_set(&node, "effective", &caps->effective, err));
	err_try(parse_capability_set(&node, "inheritable", &caps->inheritable, err));
	err_try(parse_capability_set(&node, "permitted", &caps->permitted, err));
	return parse_capability_set(&node, "ambient", &caps->ambient, err);
}

static int parse_rlimit(const struct json_node *node, struct arena *arena, struct oci_rlimit *ret,
			struct err *err)
{
	const char *name = NULL;

	err_try(json_object(node, err));
	err_try(json_need(json_get_string(node, "type", arena, &name, err), node, "type", err));
	ret->type = oci_rlimit_parse(name);
	if (ret->type < 0) {
		struct json_node type;

		json_get(node, "type", &type, err);
		return json_bad(&type, err, "\"%s\" is no resource limit such as RLIMIT_NOFILE",
				name);
	}
	err_try(json_need(json_get_u64(node, "soft", &ret->soft, err), node, "soft", err));
	err_try(json_need(json_get_u64(node, "hard", &ret->hard, err), node, "hard", err));
	if (ret->soft > ret->hard)
		return json_bad(node, err, "soft limit %llu is above the hard limit %llu",
				(unsigned long long)ret->soft, (unsigned long long)ret->hard);
	return 0;
}

static int parse_rlimits(const struct json_node *process, struct arena *arena,
			 struct oci_process *p, struct err *err)
{
	struct json_node array;
	struct oci_rlimit *list;
	size_t count;
	int r = json_get_array(process, "rlimits", &array, &count, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, count + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read process");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(parse_rlimit(&item, arena, &list[i], err));
		for (size_t k = 0; k < i; k++)
			if (list[k].type == list[i].type)
				return json_bad(&item, err, "%s stands twice",
						oci_rlimit_name(list[i].type));
	}
	p->rlimits = list;
	p->rlimits_count = count;
	return 0;
}

static int parse_env(const struct json_node *process, struct arena *arena, struct oci_process *p,
		     struct err *err)
{
	static const char *const none[] = { NULL };
	struct json_node array;
	size_t count;
	int r;

	p->env = none;
	r = json_get_strings(process, "env", arena, &p->env, &p->env_count, err);
	if (r <= 0)
		return r;
	err_try(json_get_array(process, "env", &array, &count, err));
	for (size_t i = 0; i < p->env_count; i++) {
		struct json_node item = json_at(&array, i);
		const char *equals = strchr(p->env[i], '=');

		if (!equals || equals == p->env[i])
			return json_bad(&item, err, "\"%s\" is not of the form NAME=value",
					p->env[i]);
	}
	return 0;
}

static int parse_console(const struct json_node *process, struct oci_process *p, struct err *err)
{
	struct json_node size;
	int64_t height = 0, width = 0;
	int r = json_get_object(process, "consoleSize", &size, err);

	if (r <= 0)
		return r;
	err_try(json_get_range(&size, "height", 0, UINT16_MAX, &height, err));
	err_try(json_get_range(&size, "width", 0, UINT16_MAX, &width, err));
	p->console_height = (uint16_t)height;
	p->console_width = (uint16_t)width;
	return 0;
}

static int parse_cwd(const struct json_node *process, struct arena *arena, const char **ret,
		     struct err *err)
{
	struct json_node cwd;

	err_try(json_need(json_get_string(process, "cwd", arena, ret, err), process, "cwd", err));
	if ((*ret)[0] == '/')
		return 0;
	json_get(process, "cwd", &cwd, err);
	if ((*ret)[0] == '\0')
		return json_bad(&cwd, err, "Cwd property must not be empty");
	return json_bad(&cwd, err, "Cwd must be an absolute path, \"%s\" is none", *ret);
}

int oci_parse_process(const struct json_node *node, struct arena *arena, struct oci_process *ret,
		      struct err *err)
{
	struct oci_process p = { 0 };
	int64_t oom = 0;
	int r;

	err_try(json_object(node, err));
	err_try(json_get_bool(node, "terminal", &p.terminal, err));
	err_try(parse_console(node, &p, err));
	err_try(parse_user(node, arena, &p.user, err));
	err_try(json_get_strings(node, "args", arena, &p.args, &p.args_count, err));
	err_try(parse_env(node, arena, &p, err));
	err_try(parse_cwd(node, arena, &p.cwd, err));
	err_try(parse_capabilities(node, &p.capabilities, err));
	err_try(parse_rlimits(node, arena, &p, err));
	err_try(json_get_bool(node, "noNewPrivileges", &p.no_new_privileges, err));
	err_try(json_get_string(node, "apparmorProfile", arena, &p.apparmor_profile, err));
	err_try(json_get_string(node, "selinuxLabel", arena, &p.selinux_label, err));
	r = json_get_range(node, "oomScoreAdj", -1000, 1000, &oom, err);
	if (r < 0)
		return r;
	p.oom_score_adj.set = r > 0;
	p.oom_score_adj.value = (int)oom;
	err_try(oci_parse_scheduling(node, arena, &p, err));
	*ret = p;
	return 0;
}
