/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the cell. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "cmd/cellar-cell/remote.h"
#include "cmd/cellar-cell/verbs.h"

static int errno_of(long status)
{
	switch (status) {
	case 400:
		return EINVAL;
	case 401:
	case 403:
		return EPERM;
	case 404:
		return ENOENT;
	case 409:
		return EEXIST;
	case 413:
		return E2BIG;
	case 429:
	case 503:
		return EAGAIN;
	default:
		return EIO;
	}
}

int cell_refused(const struct ask *ask, const struct http_answer *answer, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *sentence = NULL;

	if (json_parse(answer->body, answer->len, &doc, NULL) == 0) {
		struct json_node root = json_root(doc);

		json_get_string(&root, "error", ask->arena, &sentence, NULL);
	}
	return sentence ? err_say(err, errno_of(answer->status), "%s", sentence)
			: err_say(err, EIO, "the cell answered with status %ld", answer->status);
}

/* Of this machine, or one whose master is elsewhere; what it refuses is an error. */
static int call_cell(const struct ask *ask, struct http_call *call, const char *path,
		     struct http_answer *ret, struct err *err)
{
	_cleanup_place_ struct place place = { 0 };
	char url[PLACE_URL_SIZE];
	int r;

	err_try(place_find(ask->cell, &place, err));
	err_try(place_call(&place, path, url, call, err));
	r = http_call(call, ret, err);
	if (r == -ECONNREFUSED)
		return place_refused(&place, err);
	if (r < 0)
		return r;
	return ret->status == 200 ? 0 : cell_refused(ask, ret, err);
}

int cell_ask(const struct ask *ask, const char *method, const char *path, const char *body,
	     size_t len, struct json_doc **ret, struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	/* More than the longest that a request waits for news. */
	struct http_call call = {
		.method = method, .body = body, .body_len = len, .timeout_s = 360
	};

	err_try(call_cell(ask, &call, path, &answer, err));
	return json_parse(answer.body, answer.len, ret, err) < 0 ? err_add(err, "the cell's answer")
								 : 0;
}

int cell_ask_name(const struct ask *ask, const char *method, const char *fmt, const char *name,
		  const char *body, struct json_doc **ret, struct err *err)
{
	_cleanup_free_ char *escaped = http_escape(name), *path = NULL;
	const char *at = strstr(fmt, "%s");

	if (!escaped ||
	    asprintf(&path, "%.*s%s%s", (int)(at - fmt), fmt, escaped, at + strlen("%s")) < 0)
		return err_set(err, ENOMEM, "ask for %s", name);
	return cell_ask(ask, method, path, body, body ? strlen(body) : 0, ret, err);
}

int cell_ask_stream(const struct ask *ask, const char *path, long timeout_s,
		    int (*on_data)(void *data, const char *bytes, size_t len), void *data,
		    struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	struct http_call call = {
		.method = "GET", .timeout_s = timeout_s, .on_data = on_data, .data = data
	};

	return call_cell(ask, &call, path, &answer, err);
}

const char *cell_text(const struct ask *ask, const struct json_node *node, const char *key)
{
	const char *text = "";

	json_get_string(node, key, ask->arena, &text, NULL);
	return text;
}

int64_t cell_number(const struct json_node *node, const char *key)
{
	int64_t n = 0;

	json_get_i64(node, key, &n, NULL);
	return n;
}

int cell_parse_task(char *word, uint32_t *ret_index, struct err *err)
{
	char *slash = strchr(word, '/'), *end = NULL;
	unsigned long index;

	*ret_index = NO_INDEX;
	if (!slash)
		return 0;
	index = strtoul(slash + 1, &end, 10);
	if (*end || end == slash + 1 || index >= NO_INDEX)
		return err_say(err, EINVAL, "%s: a task is JOB/INDEX, like web/0", word);
	*slash = '\0';
	*ret_index = (uint32_t)index;
	return 0;
}

int cell_exec(const struct ask *ask, const char *program, const char *const *words, struct err *err)
{
	char path[PATH_MAX];
	const char **command;
	size_t count = 0, n = 0;

	while (words[count])
		count++;
	command = arena_calloc(ask->arena, count + 1, sizeof(*command));
	if (!command)
		return err_set(err, ENOMEM, "execute %s", program);
	err_try(program_find(program, path, err));
	for (; n < count; n++)
		command[n] = words[n];
	execv(path, (char *const *)(uintptr_t)command);
	return err_set(err, errno, "execute %s", path);
}
