/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json as text: what we know of it in the order of the specification's own text, and where
 * it was read before, merged with what was read (base/json_merge.h).
 */
#include <errno.h>
#include <string.h>

#include "base/json_merge.h"
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

void oci_put_id_maps(struct json_writer *w, const char *key, const struct oci_id_map *maps,
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
		oci_put_id_maps(w, "uidMappings", m->uid_maps, m->uid_maps_count);
		oci_put_id_maps(w, "gidMappings", m->gid_maps, m->gid_maps_count);
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

static int finish(struct json_writer *w, char **ret, size_t *ret_len, struct err *err)
{
	char *text = json_writer_take(w, ret_len);

	if (!text)
		return err_set(err, ENOMEM, "write JSON");
	*ret = text;
	return 0;
}

/* What we know of it, alone. */
static int format_known(const struct oci_config *c, char **ret, size_t *ret_len, struct err *err)
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
	oci_put_linux(w, c);
	oci_put_vm(w, c->vm);
	json_close_object(w);
	return finish(w, ret, ret_len, err);
}

int oci_config_format(const struct oci_config *c, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *parsed = NULL;
	_cleanup_free_ char *before = NULL, *after = NULL;
	const char *source = c->source.json;

	if (!source)
		return format_known(c, ret, ret_len, err);
	err_try(oci_config_parse(source, strlen(source), &parsed, err));
	err_try(format_known(parsed, &before, NULL, err));
	err_try(format_known(c, &after, NULL, err));
	return json_merge(source, before, after, true, ret, ret_len, err);
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
