/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_health.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "cmd/ctr/moment.h"
#include "runtime/engine/meta_health.h"

/* clang-format off */
const struct option_entry run_health_table[] = {
	OPTION_STRING(struct run_health, command, 0, "health-cmd", "COMMAND", "healthy while this ends with 0 in the container; a shell's line, or a JSON array of words"),
	OPTION_STRING(struct run_health, http, 0, "health-http", "PORT[/PATH]", "healthy while a GET of this in its network is answered well"),
	OPTION_STRING(struct run_health, tcp, 0, "health-tcp", "PORT", "healthy while this port in its network takes a connection"),
	OPTION_STRING(struct run_health, interval, 0, "health-interval", "TIME", "how long from one check to the next (default 30s)"),
	OPTION_STRING(struct run_health, timeout, 0, "health-timeout", "TIME", "a check that takes longer has failed (default 30s)"),
	OPTION_INT(struct run_health, retries, 0, "health-retries", 1, INT_MAX, "NUMBER", "so many failures in a row make it unhealthy (default 3)"),
	OPTION_STRING(struct run_health, start_period, 0, "health-start-period", "TIME", "failures before that do not count (default 0s)"),
	OPTION_STRING(struct run_health, start_interval, 0, "health-start-interval", "TIME", "the interval until then (default 5s)"),
	OPTION_STRING(struct run_health, on_failure, 0, "health-on-failure", "ACTION", "when it turns unhealthy: none (default), restart, kill, stop"),
	OPTION_BOOL(struct run_health, none, 0, "no-healthcheck", "make no checks, whatever the image says"),
	OPTION_END,
};
/* clang-format on */

static int parse_time(const char *text, const char *name, int64_t *ret, struct err *err)
{
	int64_t ns;

	if (!text)
		return 0;
	if (moment_parse_duration(text, &ns, err) < 0)
		return err_add(err, "--%s", name);
	/* As in Docker: none is what is not given. */
	if (ns && ns < HEALTH_SHORTEST_NS)
		return err_say(err, EINVAL, "--%s: \"%s\" is too short; at least 1ms", name, text);
	*ret = ns;
	return 0;
}

static int fill_times(const struct run_health *args, struct engine_health *ret, struct err *err)
{
	err_try(parse_time(args->interval, "health-interval", &ret->interval_ns, err));
	err_try(parse_time(args->timeout, "health-timeout", &ret->timeout_ns, err));
	err_try(parse_time(args->start_period, "health-start-period", &ret->start_period_ns, err));
	err_try(parse_time(args->start_interval, "health-start-interval", &ret->start_interval_ns,
			   err));
	ret->retries = (uint32_t)args->retries;
	if (args->on_failure && engine_health_action_parse(args->on_failure, &ret->action, err) < 0)
		return err_add(err, "--health-on-failure");
	return 0;
}

/* "CMD" and the words of a JSON array. */
static int parse_words(const char *text, struct arena *arena, const char *const **ret,
		       struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	const char **words;
	size_t count;

	err_try(json_parse(text, strlen(text), &doc, err));
	root = json_root(doc);
	count = json_kind(&root) == JSON_ARRAY ? json_count(&root) : 0;
	words = arena_calloc(arena, count + 2, sizeof(*words));
	if (!words)
		return err_set(err, ENOMEM, "read the command line");
	words[0] = "CMD";
	for (size_t i = 0; i < count; i++) {
		struct json_node node = json_at(&root, i);

		err_try(json_string(&node, arena, &words[i + 1], err));
	}
	if (!count || !*words[1])
		return err_say(err, EINVAL, "it names no program");
	*ret = words;
	return 0;
}

static int fill_test(const struct run_health *args, struct arena *arena, struct engine_health *ret,
		     struct err *err)
{
	const char **words = arena_calloc(arena, 3, sizeof(*words));

	if (!words)
		return err_set(err, ENOMEM, "read the command line");
	if (args->command && *args->command == '[')
		return parse_words(args->command, arena, &ret->test, err) < 0
			       ? err_add(err, "--health-cmd")
			       : 0;
	if (args->none) {
		words[0] = "NONE";
	} else if (args->command) {
		words[0] = strcmp(args->command, "none") == 0 ? "NONE" : "CMD-SHELL";
		words[1] = strcmp(args->command, "none") == 0 ? NULL : args->command;
	} else if (args->http) {
		words[0] = "HTTP";
		words[1] = args->http;
	} else if (args->tcp) {
		words[0] = "TCP";
		words[1] = args->tcp;
	} else {
		return 0;
	}
	ret->test = words;
	return 0;
}

int run_health_fill(const struct run_health *args, struct arena *arena,
		    struct engine_run_options *ret, struct err *err)
{
	struct engine_health *health = &ret->supervision.health;
	int kinds = !!args->command + !!args->http + !!args->tcp;
	bool any = kinds || args->interval || args->timeout || args->start_period ||
		   args->start_interval || args->on_failure || args->retries;

	if (args->none && any)
		return err_say(err, EINVAL,
			       "--no-healthcheck and the --health options exclude each other");
	if (kinds > 1)
		return err_say(err, EINVAL,
			       "--health-cmd, --health-http and --health-tcp exclude each other");
	if (args->command && !*args->command)
		return err_say(err, EINVAL, "--health-cmd: it names no program");
	err_try(fill_test(args, arena, health, err));
	return fill_times(args, health, err);
}
