/* SPDX-License-Identifier: Apache-2.0 */
/* A list of assignments with unique names. */
#include "runtime/engine/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t name_len(const char *assignment)
{
	return strcspn(assignment, "=");
}

/* Index of the variable, or count. */
static size_t find(const struct environment *env, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=')
			break;
	return i;
}

const char *environment_get(const struct environment *env, const char *name)
{
	size_t i = find(env, name, strlen(name));

	return i < env->count ? env->items[i] + strlen(name) + 1 : NULL;
}

static int append(struct environment *env, const char *assignment, struct err *err)
{
	if (env->count + 2 > env->size) {
		size_t size = env->size ? 2 * env->size : 16;
		const char **items = arena_calloc(env->arena, size, sizeof(*items));

		if (!items)
			return err_set(err, ENOMEM, "set environment");
		if (env->count)
			memcpy(items, env->items, env->count * sizeof(*items));
		env->items = items;
		env->size = size;
	}
	env->items[env->count++] = assignment;
	env->items[env->count] = NULL;
	return 0;
}

int environment_set(struct environment *env, const char *assignment, struct err *err)
{
	size_t len, i;

	if (!assignment)
		return err_set(err, ENOMEM, "set environment");
	len = name_len(assignment);
	if (!len || assignment[len] != '=')
		return err_say(err, EINVAL,
			       "environment variable \"%s\" is not of the form NAME=VALUE",
			       assignment);
	i = find(env, assignment, len);
	if (i == env->count)
		return append(env, assignment, err);
	env->items[i] = assignment;
	return 0;
}

int environment_default(struct environment *env, const char *assignment, struct err *err)
{
	if (assignment && find(env, assignment, name_len(assignment)) < env->count)
		return 0;
	return environment_set(env, assignment, err);
}

static void take_out(struct environment *env, const char *name)
{
	size_t i = find(env, name, strlen(name));

	if (i == env->count)
		return;
	memmove(&env->items[i], &env->items[i + 1], (env->count - i) * sizeof(*env->items));
	env->count--;
}

int environment_ask(struct environment *env, const char *text, struct err *err)
{
	const char *value;

	if (strchr(text, '=') || !*text)
		return environment_set(env, text, err);
	value = getenv(text);
	if (value)
		return environment_set(env, arena_printf(env->arena, "%s=%s", text, value), err);
	take_out(env, text);
	return 0;
}
