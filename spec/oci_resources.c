/* SPDX-License-Identifier: Apache-2.0 */
/* "linux.resources" of config.json: limits and device rules. */
#include <errno.h>
#include <string.h>

#include "spec/oci_parse.h"

static int parse_access(const struct json_node *node, struct oci_device_rule *rule,
			struct arena *arena, struct err *err)
{
	const char *access = NULL;
	int r = json_get_string(node, "access", arena, &access, err);

	if (r < 0)
		return r;
	if (r == 0 || access[0] == '\0')
		access = "rwm";
	for (const char *p = access; *p; p++) {
		struct json_node bad;

		if (*p == 'r') {
			rule->read = true;
		} else if (*p == 'w') {
			rule->write = true;
		} else if (*p == 'm') {
			rule->mknod = true;
		} else {
			json_get(node, "access", &bad, err);
			return json_bad(&bad, err, "\"%s\" has letters other than r, w and m",
					access);
		}
	}
	return 0;
}

static int parse_rule(const struct json_node *node, struct arena *arena, void *ret, struct err *err)
{
	struct oci_device_rule *rule = ret;
	const char *type = "a";

	*rule = (struct oci_device_rule){ .major = -1, .minor = -1 };
	err_try(json_need(json_get_bool(node, "allow", &rule->allow, err), node, "allow", err));
	err_try(json_get_string(node, "type", arena, &type, err));
	if (strcmp(type, "") == 0)
		type = "a";
	if (strlen(type) != 1 || !strchr("abcu", type[0])) {
		struct json_node bad;

		json_get(node, "type", &bad, err);
		return json_bad(&bad, err, "\"%s\" is no device type (a, b or c)", type);
	}
	rule->type = type[0] == 'u' ? 'c' : type[0];
	err_try(json_get_range(node, "major", -1, UINT32_MAX, &rule->major, err));
	err_try(json_get_range(node, "minor", -1, UINT32_MAX, &rule->minor, err));
	return parse_access(node, rule, arena, err);
}

static int parse_memory(const struct json_node *node, struct oci_memory *m, struct err *err)
{
	struct json_node mem;
	int r = json_get_object(node, "memory", &mem, err);

	if (r <= 0)
		return r;
	err_try(oci_parse_opt_i64(&mem, "limit", &m->limit, err));
	err_try(oci_parse_opt_i64(&mem, "reservation", &m->reservation, err));
	err_try(oci_parse_opt_i64(&mem, "swap", &m->swap, err));
	err_try(oci_parse_opt_u64(&mem, "swappiness", &m->swappiness, err));
	err_try(oci_parse_opt_bool(&mem, "disableOOMKiller", &m->disable_oom_killer, err));
	err_try(oci_parse_opt_bool(&mem, "useHierarchy", &m->use_hierarchy, err));
	return oci_parse_opt_bool(&mem, "checkBeforeUpdate", &m->check_before_update, err);
}

static int parse_cpu(const struct json_node *node, struct arena *arena, struct oci_cpu *c,
		     struct err *err)
{
	struct json_node cpu;
	int r = json_get_object(node, "cpu", &cpu, err);

	if (r <= 0)
		return r;
	err_try(oci_parse_opt_u64(&cpu, "shares", &c->shares, err));
	err_try(oci_parse_opt_i64(&cpu, "quota", &c->quota_us, err));
	err_try(oci_parse_opt_u64(&cpu, "period", &c->period_us, err));
	err_try(oci_parse_opt_u64(&cpu, "burst", &c->burst_us, err));
	err_try(oci_parse_opt_i64(&cpu, "realtimeRuntime", &c->realtime_runtime_us, err));
	err_try(oci_parse_opt_u64(&cpu, "realtimePeriod", &c->realtime_period_us, err));
	err_try(oci_parse_opt_i64(&cpu, "idle", &c->idle, err));
	err_try(json_get_string(&cpu, "cpus", arena, &c->cpus, err));
	return json_get_string(&cpu, "mems", arena, &c->mems, err);
}

static int parse_unified(const struct json_node *item, struct arena *arena, void *ret,
			 struct err *err)
{
	struct oci_unified *unified = ret;

	if (strchr(item->key, '/') || item->key[0] == '\0')
		return json_bad(item, err,
				"unified resource \"%s\" must be a file name (no slashes)",
				item->key);
	unified->key = arena_strdup(arena, item->key);
	if (!unified->key)
		return err_set(err, ENOMEM, "read resources");
	return json_string(item, arena, &unified->value, err);
}

int oci_parse_resources(const struct json_node *node, struct arena *arena,
			struct oci_resources *ret, struct err *err)
{
	struct oci_resources res = { 0 };
	struct json_node child;
	int r;

	err_try(json_object(node, err));
	err_try(oci_parse_list(node, "devices", arena, sizeof(struct oci_device_rule), parse_rule,
			       &res.devices, &res.devices_count, err));
	err_try(parse_memory(node, &res.memory, err));
	err_try(parse_cpu(node, arena, &res.cpu, err));
	r = json_get_object(node, "pids", &child, err);
	if (r < 0 || (r > 0 && oci_parse_opt_i64(&child, "limit", &res.pids_limit, err) < 0))
		return -EINVAL;
	err_try(oci_parse_resource_lists(node, arena, &res, err));
	err_try(oci_parse_map(node, "unified", arena, sizeof(struct oci_unified), parse_unified,
			      &res.unified, &res.unified_count, err));
	*ret = res;
	return 0;
}
