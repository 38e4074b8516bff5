/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/health.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/engine/exec_build.h"

#define SECOND_NS INT64_C(1000000000)
#define PORT_MAX 65535

static bool parse_port(const char *text, uint16_t *ret_port, const char **ret_rest)
{
	char *end;
	unsigned long port = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	if (port < 1 || port > PORT_MAX)
		return false;
	*ret_port = (uint16_t)port;
	*ret_rest = end;
	return true;
}

/* What would break the request's first line. */
static bool path_is_plain(const char *path)
{
	for (; *path; path++)
		if ((unsigned char)*path <= ' ' || *path == 0x7f)
			return false;
	return true;
}

/* Kind, port and path of a test; -EINVAL. */
static int parse_test(const char *const *test, struct shim_health *ret)
{
	const char *rest;

	if (!test || !test[0])
		return -EINVAL;
	ret->kind = SHIM_HEALTH_NONE;
	if (strcmp(test[0], "NONE") == 0)
		return 0;
	if (!test[1])
		return -EINVAL;
	if (strcmp(test[0], "CMD") == 0 || (strcmp(test[0], "CMD-SHELL") == 0 && !test[2])) {
		ret->kind = SHIM_HEALTH_EXEC;
		return *test[1] ? 0 : -EINVAL;
	}
	if (test[2] || !parse_port(test[1], &ret->port, &rest))
		return -EINVAL;
	if (strcmp(test[0], "TCP") == 0 && !*rest) {
		ret->kind = SHIM_HEALTH_TCP;
		return 0;
	}
	if (strcmp(test[0], "HTTP") != 0 || (*rest && *rest != '/') || !path_is_plain(rest))
		return -EINVAL;
	ret->kind = SHIM_HEALTH_HTTP;
	ret->path = *rest ? rest : "/";
	return 0;
}

static bool gives_anything(const struct engine_health *h)
{
	return h->interval_ns || h->timeout_ns || h->start_period_ns || h->start_interval_ns ||
	       h->retries || h->action != SHIM_HEALTH_GO_ON;
}

static int64_t choose(int64_t asked, int64_t image, int64_t otherwise)
{
	return asked ? asked : image >= HEALTH_SHORTEST_NS ? image : otherwise;
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;

	while (words && words[count])
		count++;
	return count;
}

/* Copies, because the image's document goes before the container does. A command for a shell is for
 * the image's, where it names one. */
static const char *const *copy(const char *const *words, const char *const *shell,
			       struct arena *arena)
{
	bool shelled = strcmp(words[0], "CMD-SHELL") == 0 && shell && shell[0];
	size_t extra = shelled ? count_words(shell) : 0, count = count_words(words);
	const char **list = arena_calloc(arena, count + extra + 1, sizeof(*list));

	for (size_t i = 0; list && i < count + extra; i++) {
		const char *word = i == 0 && shelled ? "CMD"
				   : i == 0	     ? words[0]
				   : i <= extra	     ? shell[i - 1]
						     : words[i - extra];

		list[i] = arena_strdup(arena, word);
		if (!list[i])
			return NULL;
	}
	return list;
}

int health_choose(const struct engine_health *asked, const struct oci_healthcheck *image,
		  const char *const *shell, struct arena *arena, struct engine_health *ret,
		  struct err *err)
{
	const char *const *test = asked->test ? asked->test : image->test;
	struct shim_health parsed = { 0 };

	if (asked->test && parse_test(asked->test, &parsed) < 0)
		return err_say(err, EINVAL, "the health check \"%s\" makes no sense",
			       asked->test[0] && asked->test[1] ? asked->test[1] : "");
	if (!asked->test && image->test && image->test[0] && parse_test(image->test, &parsed) < 0) {
		log_warn("the image's health check is of a kind that is not known, \"%s\", and not "
			 "made",
			 image->test[0]);
		test = NULL;
	}
	if (parsed.kind == SHIM_HEALTH_NONE) {
		if (gives_anything(asked))
			return err_say(err, EINVAL,
				       "there is no health check for the other --health options: "
				       "the image has none; give --health-cmd");
		*ret = (struct engine_health){ 0 };
		return 0;
	}
	*ret = (struct engine_health){
		.test = copy(test, shell, arena),
		.interval_ns = choose(asked->interval_ns, image->interval_ns, 30 * SECOND_NS),
		.timeout_ns = choose(asked->timeout_ns, image->timeout_ns, 30 * SECOND_NS),
		.start_period_ns = choose(asked->start_period_ns, image->start_period_ns, 0),
		.start_interval_ns =
			choose(asked->start_interval_ns, image->start_interval_ns, 5 * SECOND_NS),
		.retries = (uint32_t)choose(asked->retries, 0, 0),
		.action = asked->action,
	};
	if (!ret->retries)
		ret->retries = image->retries > 0 && image->retries <= INT32_MAX
				       ? (uint32_t)image->retries
				       : 3;
	return ret->test ? 0 : err_set(err, ENOMEM, "read the health check");
}

static int build_process(const struct engine_health *health, const struct oci_config *config,
			 struct arena *arena, const char **ret, struct err *err)
{
	const char *const shell[] = { "/bin/sh", "-c", health->test[1], NULL };
	const struct engine_exec_options options = {
		.args = strcmp(health->test[0], "CMD") == 0 ? health->test + 1 : shell,
	};
	_cleanup_free_ char *json = NULL;
	struct oci_process process;
	size_t len;

	err_try(exec_build(config, &options, NULL, arena, &process, err));
	err_try(oci_process_format(&process, &json, &len, err));
	*ret = arena_strdup(arena, json);
	return *ret ? 0 : err_set(err, ENOMEM, "build the health check");
}

int health_build(const struct engine_health *health, const struct oci_config *config,
		 struct arena *arena, struct shim_health *ret, struct err *err)
{
	struct shim_health built = {
		.interval_ns = health->interval_ns,
		.timeout_ns = health->timeout_ns,
		.start_period_ns = health->start_period_ns,
		.start_interval_ns = health->start_interval_ns,
		.retries = health->retries,
		.action = health->action,
	};

	if (!health->test) {
		*ret = (struct shim_health){ 0 };
		return 0;
	}
	if (parse_test(health->test, &built) < 0)
		return err_say(err, EINVAL, "the health check makes no sense");
	if (built.kind == SHIM_HEALTH_EXEC)
		err_try(build_process(health, config, arena, &built.process_json, err));
	*ret = built;
	return 0;
}
