/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/meta_health.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const action_names[] = {
	[SHIM_HEALTH_GO_ON] = "none",
	[SHIM_HEALTH_RESTART] = "restart",
	[SHIM_HEALTH_KILL] = "kill",
	[SHIM_HEALTH_STOP] = "stop",
};

const char *engine_health_action_name(enum shim_health_action action)
{
	return action_names[action];
}

int engine_health_action_parse(const char *text, enum shim_health_action *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++)
		if (strcmp(text, action_names[i]) == 0) {
			*ret = (enum shim_health_action)i;
			return 0;
		}
	return err_say(err, EINVAL, "\"%s\" is unknown; there are none, restart, kill and stop",
		       text);
}

void meta_health_format(struct json_writer *w, const struct engine_health *health)
{
	if (!health->test)
		return;
	json_key(w, "health_check");
	json_open_object(w);
	json_field_strings(w, "test", health->test);
	json_field_i64(w, "interval_ns", health->interval_ns);
	json_field_i64(w, "timeout_ns", health->timeout_ns);
	json_field_i64(w, "start_period_ns", health->start_period_ns);
	json_field_i64(w, "start_interval_ns", health->start_interval_ns);
	json_field_u64(w, "retries", health->retries);
	json_field_string(w, "on_failure", action_names[health->action]);
	json_close_object(w);
}

int meta_health_parse(const struct json_node *root, struct arena *arena, struct engine_health *ret,
		      struct err *err)
{
	struct engine_health health = { 0 };
	const char *action = action_names[SHIM_HEALTH_GO_ON];
	struct json_node node;
	size_t count;
	int r = json_get_object(root, "health_check", &node, err);

	if (r <= 0)
		return r;
	err_try(json_get_strings(&node, "test", arena, &health.test, &count, err));
	err_try(json_get_range(&node, "interval_ns", 0, INT64_MAX, &health.interval_ns, err));
	err_try(json_get_range(&node, "timeout_ns", 0, INT64_MAX, &health.timeout_ns, err));
	err_try(json_get_range(&node, "start_period_ns", 0, INT64_MAX, &health.start_period_ns,
			       err));
	err_try(json_get_range(&node, "start_interval_ns", 0, INT64_MAX, &health.start_interval_ns,
			       err));
	err_try(json_get_u32(&node, "retries", &health.retries, err));
	err_try(json_get_string(&node, "on_failure", arena, &action, err));
	err_try(engine_health_action_parse(action, &health.action, err));
	*ret = health;
	return 0;
}
