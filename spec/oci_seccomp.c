/* SPDX-License-Identifier: Apache-2.0 */
/* "linux.seccomp" of config.json. Names of actions, calls and operators are judged by the compiler.
 */
#include <errno.h>

#include "spec/oci_parse.h"

static int parse_args(const struct json_node *rule, struct arena *arena,
		      struct oci_seccomp_rule *ret, struct err *err)
{
	struct json_node array;
	struct oci_seccomp_arg *args;
	size_t count;
	int r = json_get_array(rule, "args", &array, &count, err);

	if (r <= 0)
		return r;
	args = arena_calloc(arena, count + 1, sizeof(*args));
	if (!args)
		return err_set(err, ENOMEM, "read seccomp");
	for (size_t i = 0; i < count; i++) {
		struct json_node a = json_at(&array, i);
		int64_t index = 0;

		err_try(json_object(&a, err));
		err_try(json_need(json_get_range(&a, "index", 0, 5, &index, err), &a, "index",
				  err));
		err_try(json_need(json_get_u64(&a, "value", &args[i].value, err), &a, "value",
				  err));
		err_try(json_get_u64(&a, "valueTwo", &args[i].value_two, err));
		err_try(json_need(json_get_string(&a, "op", arena, &args[i].op, err), &a, "op",
				  err));
		args[i].index = (uint32_t)index;
	}
	ret->args = args;
	ret->args_count = count;
	return 0;
}

int oci_seccomp_rule_parse(const struct json_node *node, struct arena *arena,
			   struct oci_seccomp_rule *ret, struct err *err)
{
	err_try(json_object(node, err));
	err_try(json_need(json_get_strings(node, "names", arena, &ret->names, NULL, err), node,
			  "names", err));
	err_try(json_need(json_get_string(node, "action", arena, &ret->action, err), node, "action",
			  err));
	err_try(oci_parse_opt_u32(node, "errnoRet", &ret->errno_ret, err));
	return parse_args(node, arena, ret, err);
}

int oci_parse_seccomp(const struct json_node *node, struct arena *arena,
		      const struct oci_seccomp **ret, struct err *err)
{
	struct oci_seccomp *s = arena_alloc(arena, sizeof(*s));
	struct oci_seccomp_rule *rules;
	struct json_node array;
	size_t count = 0;
	int r;

	if (!s)
		return err_set(err, ENOMEM, "read seccomp");
	err_try(json_need(json_get_string(node, "defaultAction", arena, &s->default_action, err),
			  node, "defaultAction", err));
	err_try(oci_parse_opt_u32(node, "defaultErrnoRet", &s->default_errno_ret, err));
	err_try(json_get_strings(node, "architectures", arena, &s->architectures, NULL, err));
	err_try(json_get_strings(node, "flags", arena, &s->flags, NULL, err));
	err_try(json_get_string(node, "listenerPath", arena, &s->listener_path, err));
	err_try(json_get_string(node, "listenerMetadata", arena, &s->listener_metadata, err));
	r = json_get_array(node, "syscalls", &array, &count, err);
	if (r < 0)
		return r;
	rules = arena_calloc(arena, count + 1, sizeof(*rules));
	if (!rules)
		return err_set(err, ENOMEM, "read seccomp");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);

		err_try(oci_seccomp_rule_parse(&item, arena, &rules[i], err));
	}
	s->rules = rules;
	s->rules_count = count;
	*ret = s;
	return 0;
}
