/* SPDX-License-Identifier: Apache-2.0 */
/* "linux" of config.json as text. */
#include "spec/oci_parse.h"

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

void oci_put_linux(struct json_writer *w, const struct oci_config *c)
{
	json_key(w, "linux");
	json_open_object(w);
	oci_put_id_maps(w, "uidMappings", c->uid_maps, c->uid_maps_count);
	oci_put_id_maps(w, "gidMappings", c->gid_maps, c->gid_maps_count);
	if (c->sysctls_count > 0) {
		json_key(w, "sysctl");
		json_open_object(w);
		for (size_t i = 0; i < c->sysctls_count; i++)
			json_field_string(w, c->sysctls[i].key, c->sysctls[i].value);
		json_close_object(w);
	}
	oci_put_resources(w, &c->resources);
	json_field_string(w, "cgroupsPath", c->cgroups_path);
	put_namespaces(w, c);
	put_devices(w, c);
	put_seccomp(w, c->seccomp);
	json_field_string(w, "rootfsPropagation", c->rootfs_propagation);
	json_field_strings(w, "maskedPaths", c->masked_paths);
	json_field_strings(w, "readonlyPaths", c->readonly_paths);
	json_field_string(w, "mountLabel", c->mount_label);
	oci_put_kernel_view(w, c);
	oci_put_intel_rdt(w, &c->intel_rdt);
	oci_put_net_devices(w, c);
	json_close_object(w);
}
