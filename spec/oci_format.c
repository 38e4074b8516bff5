/* SPDX-License-Identifier: Apache-2.0 */
/* config.json written back, in the order of the specification's own text. */
#include <errno.h>
#include <string.h>

#include "spec/oci_parse.h"

static void put_capability_set(struct json_writer *w, const char *key, uint64_t set)
{
	json_key(w, key);
	json_open_array(w);
	for (int cap = 0; cap < 64; cap++)
		if (set >> cap & 1 && oci_capability_name(cap))
			json_put_string(w, oci_capability_name(cap));
	json_close_array(w);
}

static void put_capabilities(struct json_writer *w, const struct oci_capabilities *caps)
{
	if (!caps->set)
		return;
	json_key(w, "capabilities");
	json_open_object(w);
	put_capability_set(w, "bounding", caps->bounding);
	put_capability_set(w, "effective", caps->effective);
	put_capability_set(w, "inheritable", caps->inheritable);
	put_capability_set(w, "permitted", caps->permitted);
	put_capability_set(w, "ambient", caps->ambient);
	json_close_object(w);
}

static void put_user(struct json_writer *w, const struct oci_user *user)
{
	json_key(w, "user");
	json_open_object(w);
	json_field_u64(w, "uid", user->uid);
	json_field_u64(w, "gid", user->gid);
	if (user->umask.set)
		json_field_u64(w, "umask", user->umask.value);
	if (user->additional_gids_count > 0) {
		json_key(w, "additionalGids");
		json_open_array(w);
		for (size_t i = 0; i < user->additional_gids_count; i++)
			json_put_u64(w, user->additional_gids[i]);
		json_close_array(w);
	}
	json_field_string(w, "username", user->username);
	json_close_object(w);
}

static void put_rlimits(struct json_writer *w, const struct oci_process *p)
{
	if (p->rlimits_count == 0)
		return;
	json_key(w, "rlimits");
	json_open_array(w);
	for (size_t i = 0; i < p->rlimits_count; i++) {
		json_open_object(w);
		json_field_string(w, "type", oci_rlimit_name(p->rlimits[i].type));
		json_field_u64(w, "hard", p->rlimits[i].hard);
		json_field_u64(w, "soft", p->rlimits[i].soft);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_process(struct json_writer *w, const struct oci_process *p)
{
	json_open_object(w);
	if (p->terminal)
		json_field_bool(w, "terminal", true);
	if (p->console_height || p->console_width) {
		json_key(w, "consoleSize");
		json_open_object(w);
		json_field_u64(w, "height", p->console_height);
		json_field_u64(w, "width", p->console_width);
		json_close_object(w);
	}
	put_user(w, &p->user);
	json_field_strings(w, "args", p->args);
	json_field_strings(w, "env", p->env);
	json_field_string(w, "cwd", p->cwd);
	put_capabilities(w, &p->capabilities);
	put_rlimits(w, p);
	if (p->no_new_privileges)
		json_field_bool(w, "noNewPrivileges", true);
	json_field_string(w, "apparmorProfile", p->apparmor_profile);
	if (p->oom_score_adj.set)
		json_field_i64(w, "oomScoreAdj", p->oom_score_adj.value);
	json_field_string(w, "selinuxLabel", p->selinux_label);
	oci_put_scheduling(w, p);
	json_close_object(w);
}

static void put_id_maps(struct json_writer *w, const char *key, const struct oci_id_map *maps,
			size_t count)
{
	if (count == 0)
		return;
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; i < count; i++) {
		json_open_object(w);
		json_field_u64(w, "containerID", maps[i].container_id);
		json_field_u64(w, "hostID", maps[i].host_id);
		json_field_u64(w, "size", maps[i].size);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_kept(struct json_writer *w, const char *key, const struct oci_kept *kept)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	if (!kept->json || json_parse(kept->json, strlen(kept->json), &doc, NULL) < 0)
		return;
	root = json_root(doc);
	json_key(w, key);
	json_put_value(w, &root);
}

static void put_mounts(struct json_writer *w, const struct oci_config *c)
{
	if (c->mounts_count == 0)
		return;
	json_key(w, "mounts");
	json_open_array(w);
	for (size_t i = 0; i < c->mounts_count; i++) {
		const struct oci_mount *m = &c->mounts[i];

		json_open_object(w);
		json_field_string(w, "destination", m->destination);
		json_field_string(w, "type", m->type);
		json_field_string(w, "source", m->source);
		if (m->options_count > 0)
			json_field_strings(w, "options", m->options);
		put_id_maps(w, "uidMappings", m->uid_maps, m->uid_maps_count);
		put_id_maps(w, "gidMappings", m->gid_maps, m->gid_maps_count);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_hook_list(struct json_writer *w, const char *key, const struct oci_hook_list *list)
{
	if (list->count == 0)
		return;
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; i < list->count; i++) {
		const struct oci_hook *hook = &list->hooks[i];

		json_open_object(w);
		json_field_string(w, "path", hook->path);
		json_field_strings(w, "args", hook->args);
		json_field_strings(w, "env", hook->env);
		if (hook->timeout_s)
			json_field_i64(w, "timeout", hook->timeout_s);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_hooks(struct json_writer *w, const struct oci_hooks *h)
{
	if (!h->prestart.count && !h->create_runtime.count && !h->create_container.count &&
	    !h->start_container.count && !h->poststart.count && !h->poststop.count)
		return;
	json_key(w, "hooks");
	json_open_object(w);
	put_hook_list(w, "prestart", &h->prestart);
	put_hook_list(w, "createRuntime", &h->create_runtime);
	put_hook_list(w, "createContainer", &h->create_container);
	put_hook_list(w, "startContainer", &h->start_container);
	put_hook_list(w, "poststart", &h->poststart);
	put_hook_list(w, "poststop", &h->poststop);
	json_close_object(w);
}

static void put_annotations(struct json_writer *w, const struct oci_config *c)
{
	if (c->annotations_count == 0)
		return;
	json_key(w, "annotations");
	json_open_object(w);
	for (size_t i = 0; i < c->annotations_count; i++)
		json_field_string(w, c->annotations[i].key, c->annotations[i].value);
	json_close_object(w);
}

static void put_namespaces(struct json_writer *w, const struct oci_config *c)
{
	json_key(w, "namespaces");
	json_open_array(w);
	for (int t = 0; t < OCI_NS_COUNT; t++) {
		if (!c->namespaces[t].present)
			continue;
		json_open_object(w);
		json_field_string(w, "type", oci_namespace_name((enum oci_namespace_type)t));
		json_field_string(w, "path", c->namespaces[t].path);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_devices(struct json_writer *w, const struct oci_config *c)
{
	if (c->devices_count == 0)
		return;
	json_key(w, "devices");
	json_open_array(w);
	for (size_t i = 0; i < c->devices_count; i++) {
		const struct oci_device *d = &c->devices[i];

		json_open_object(w);
		json_field_string(w, "path", d->path);
		json_field_string(w, "type", (char[]){ d->type, '\0' });
		json_field_i64(w, "major", d->major);
		json_field_i64(w, "minor", d->minor);
		json_field_u64(w, "fileMode", d->file_mode);
		json_field_u64(w, "uid", d->uid);
		json_field_u64(w, "gid", d->gid);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_device_rules(struct json_writer *w, const struct oci_resources *res)
{
	if (res->devices_count == 0)
		return;
	json_key(w, "devices");
	json_open_array(w);
	for (size_t i = 0; i < res->devices_count; i++) {
		const struct oci_device_rule *rule = &res->devices[i];
		char access[4], *p = access;

		if (rule->read)
			*p++ = 'r';
		if (rule->write)
			*p++ = 'w';
		if (rule->mknod)
			*p++ = 'm';
		*p = '\0';
		json_open_object(w);
		json_field_bool(w, "allow", rule->allow);
		json_field_string(w, "type", (char[]){ rule->type, '\0' });
		if (rule->major >= 0)
			json_field_i64(w, "major", rule->major);
		if (rule->minor >= 0)
			json_field_i64(w, "minor", rule->minor);
		json_field_string(w, "access", access);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_i64(struct json_writer *w, const char *key, struct oci_i64 n)
{
	if (n.set)
		json_field_i64(w, key, n.value);
}

static void put_u64(struct json_writer *w, const char *key, struct oci_u64 n)
{
	if (n.set)
		json_field_u64(w, key, n.value);
}

static void put_bool(struct json_writer *w, const char *key, struct oci_bool b)
{
	if (b.set)
		json_field_bool(w, key, b.value);
}

static void put_memory(struct json_writer *w, const struct oci_memory *m)
{
	if (!m->limit.set && !m->reservation.set && !m->swap.set && !m->swappiness.set &&
	    !m->disable_oom_killer.set && !m->use_hierarchy.set && !m->check_before_update.set)
		return;
	json_key(w, "memory");
	json_open_object(w);
	put_i64(w, "limit", m->limit);
	put_i64(w, "reservation", m->reservation);
	put_i64(w, "swap", m->swap);
	put_u64(w, "swappiness", m->swappiness);
	put_bool(w, "disableOOMKiller", m->disable_oom_killer);
	put_bool(w, "useHierarchy", m->use_hierarchy);
	put_bool(w, "checkBeforeUpdate", m->check_before_update);
	json_close_object(w);
}

static void put_cpu(struct json_writer *w, const struct oci_cpu *c)
{
	if (!c->shares.set && !c->quota_us.set && !c->period_us.set && !c->burst_us.set &&
	    !c->realtime_runtime_us.set && !c->realtime_period_us.set && !c->idle.set && !c->cpus &&
	    !c->mems)
		return;
	json_key(w, "cpu");
	json_open_object(w);
	put_u64(w, "shares", c->shares);
	put_i64(w, "quota", c->quota_us);
	put_u64(w, "burst", c->burst_us);
	put_u64(w, "period", c->period_us);
	put_i64(w, "realtimeRuntime", c->realtime_runtime_us);
	put_u64(w, "realtimePeriod", c->realtime_period_us);
	json_field_string(w, "cpus", c->cpus);
	json_field_string(w, "mems", c->mems);
	put_i64(w, "idle", c->idle);
	json_close_object(w);
}

static void put_resources(struct json_writer *w, const struct oci_resources *res)
{
	json_key(w, "resources");
	json_open_object(w);
	put_device_rules(w, res);
	put_memory(w, &res->memory);
	put_cpu(w, &res->cpu);
	if (res->pids_limit.set) {
		json_key(w, "pids");
		json_open_object(w);
		json_field_i64(w, "limit", res->pids_limit.value);
		json_close_object(w);
	}
	oci_put_block_io(w, res);
	oci_put_resource_lists(w, res);
	if (res->unified_count > 0) {
		json_key(w, "unified");
		json_open_object(w);
		for (size_t i = 0; i < res->unified_count; i++)
			json_field_string(w, res->unified[i].key, res->unified[i].value);
		json_close_object(w);
	}
	json_close_object(w);
}

static void put_seccomp_rule(struct json_writer *w, const struct oci_seccomp_rule *rule)
{
	json_open_object(w);
	json_field_strings(w, "names", rule->names);
	json_field_string(w, "action", rule->action);
	if (rule->errno_ret.set)
		json_field_u64(w, "errnoRet", rule->errno_ret.value);
	if (rule->args_count > 0) {
		json_key(w, "args");
		json_open_array(w);
		for (size_t i = 0; i < rule->args_count; i++) {
			json_open_object(w);
			json_field_u64(w, "index", rule->args[i].index);
			json_field_u64(w, "value", rule->args[i].value);
			json_field_u64(w, "valueTwo", rule->args[i].value_two);
			json_field_string(w, "op", rule->args[i].op);
			json_close_object(w);
		}
		json_close_array(w);
	}
	json_close_object(w);
}

static void put_seccomp(struct json_writer *w, const struct oci_seccomp *s)
{
	if (!s)
		return;
	json_key(w, "seccomp");
	json_open_object(w);
	json_field_string(w, "defaultAction", s->default_action);
	if (s->default_errno_ret.set)
		json_field_u64(w, "defaultErrnoRet", s->default_errno_ret.value);
	json_field_strings(w, "architectures", s->architectures);
	json_field_strings(w, "flags", s->flags);
	json_field_string(w, "listenerPath", s->listener_path);
	json_field_string(w, "listenerMetadata", s->listener_metadata);
	json_key(w, "syscalls");
	json_open_array(w);
	for (size_t i = 0; i < s->rules_count; i++)
		put_seccomp_rule(w, &s->rules[i]);
	json_close_array(w);
	json_close_object(w);
}

static void put_linux(struct json_writer *w, const struct oci_config *c)
{
	json_key(w, "linux");
	json_open_object(w);
	put_id_maps(w, "uidMappings", c->uid_maps, c->uid_maps_count);
	put_id_maps(w, "gidMappings", c->gid_maps, c->gid_maps_count);
	if (c->sysctls_count > 0) {
		json_key(w, "sysctl");
		json_open_object(w);
		for (size_t i = 0; i < c->sysctls_count; i++)
			json_field_string(w, c->sysctls[i].key, c->sysctls[i].value);
		json_close_object(w);
	}
	put_resources(w, &c->resources);
	json_field_string(w, "cgroupsPath", c->cgroups_path);
	put_namespaces(w, c);
	put_devices(w, c);
	put_seccomp(w, c->seccomp);
	json_field_string(w, "rootfsPropagation", c->rootfs_propagation);
	json_field_strings(w, "maskedPaths", c->masked_paths);
	json_field_strings(w, "readonlyPaths", c->readonly_paths);
	json_field_string(w, "mountLabel", c->mount_label);
	oci_put_kernel_view(w, c);
	put_kept(w, "intelRdt", &c->intel_rdt);
	put_kept(w, "netDevices", &c->net_devices);
	json_close_object(w);
}

static int finish(struct json_writer *w, char **ret, size_t *ret_len, struct err *err)
{
	char *text = json_writer_take(w, ret_len);

	if (!text)
		return err_set(err, ENOMEM, "write JSON");
	*ret = text;
	return 0;
}

int oci_config_format(const struct oci_config *c, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);

	if (!w)
		return err_set(err, ENOMEM, "write config.json");
	json_open_object(w);
	json_field_string(w, "ociVersion", c->oci_version);
	if (c->has_process) {
		json_key(w, "process");
		put_process(w, &c->process);
	}
	json_key(w, "root");
	json_open_object(w);
	json_field_string(w, "path", c->root.path);
	if (c->root.readonly)
		json_field_bool(w, "readonly", true);
	json_close_object(w);
	json_field_string(w, "hostname", c->hostname);
	json_field_string(w, "domainname", c->domainname);
	put_mounts(w, c);
	put_hooks(w, &c->hooks);
	put_annotations(w, c);
	put_linux(w, c);
	put_kept(w, "vm", &c->vm);
	json_close_object(w);
	return finish(w, ret, ret_len, err);
}

int oci_process_format(const struct oci_process *process, char **ret, size_t *ret_len,
		       struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return err_set(err, ENOMEM, "write process");
	put_process(w, process);
	return finish(w, ret, ret_len, err);
}
