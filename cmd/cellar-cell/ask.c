/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the cell. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cellar-cell/verbs.h"

static int errno_of(long status)
{
	switch (status) {
	case 400:
		return EINVAL;
	case 403:
		return EPERM;
	case 404:
		return ENOENT;
	case 409:
		return EEXIST;
	case 503:
		return EAGAIN;
	default:
		return EIO;
	}
}

static int refused(const struct http_answer *answer, const struct json_doc *doc, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *sentence = NULL;

	if (doc && arena) {
		struct json_node root = json_root(doc);

		json_get_string(&root, "error", arena, &sentence, NULL);
	}
	return sentence ? err_say(err, errno_of(answer->status), "%s", sentence)
			: err_say(err, EIO, "the cell answered with status %ld", answer->status);
}

int cell_ask(const struct cellar_cell *cell, const char *method, const char *path, const char *body,
	     size_t len, struct json_doc **ret, struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	_cleanup_json_ struct json_doc *doc = NULL;
	char socket[PATH_MAX], url[4096];
	struct http_call call = {
		.unix_path = socket, .method = method, .url = url, .body = body, .body_len = len
	};
	int r;

	if (snprintf(socket, sizeof(socket), "%s/" SOCKET_NAME,
		     cell->runroot ? cell->runroot : RUNROOT_DEFAULT) >= PATH_MAX ||
	    snprintf(url, sizeof(url), "http://cell%s", path) >= (int)sizeof(url))
		return err_say(err, ENAMETOOLONG, "%s: too long a name", path);
	r = http_call(&call, &answer, err);
	if (r == -ECONNREFUSED)
		return err_say(err, ECONNREFUSED,
			       "no cell is at work at %s; start one by `celld dev`", socket);
	if (r < 0)
		return r;
	r = json_parse(answer.body, answer.len, &doc, err);
	if (answer.status != 200)
		return refused(&answer, r < 0 ? NULL : doc, err);
	if (r < 0)
		return err_add(err, "the cell's answer");
	*ret = take_ptr(doc);
	return 0;
}

int cell_ask_job(const struct cellar_cell *cell, const char *method, const char *name,
		 const char *query, struct json_doc **ret, struct err *err)
{
	_cleanup_free_ char *escaped = http_escape(name), *path = NULL;

	if (!escaped || asprintf(&path, "/v1/jobs/%s%s", escaped, query) < 0)
		return err_set(err, ENOMEM, "ask for job %s", name);
	return cell_ask(cell, method, path, NULL, 0, ret, err);
}

int cell_parse_output(const char *output, bool *ret_json, struct err *err)
{
	*ret_json = output && strcmp(output, "json") == 0;
	if (!output || *ret_json || strcmp(output, "table") == 0)
		return 0;
	return err_say(err, EINVAL, "-o: \"%s\" is unknown; there are table and json", output);
}

int cell_print(const struct json_node *node, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (w)
		json_put_value(w, node);
	text = w ? json_writer_take(w, &len) : NULL;
	if (!text)
		return err_set(err, ENOMEM, "print");
	printf("%s%s", text, len && text[len - 1] == '\n' ? "" : "\n");
	return 0;
}

const char *cell_text(const struct json_node *node, const char *key, struct arena *arena)
{
	const char *text = "";

	json_get_string(node, key, arena, &text, NULL);
	return text;
}

int64_t cell_number(const struct json_node *node, const char *key)
{
	int64_t n = 0;

	json_get_i64(node, key, &n, NULL);
	return n;
}
