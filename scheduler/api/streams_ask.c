/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/streams_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"

#define WINDOW_MAX 10000
#define COMMAND_MAX ((size_t)48 << 10) /* it goes in one frame */

static bool is_true(const struct call *call, const char *name)
{
	const char *text = http_query(call->request, name);

	return text && strcmp(text, "true") == 0;
}

int streams_read_index(const struct call *call, uint32_t *ret, struct err *err)
{
	const char *text = http_query(call->request, "index");
	unsigned long n;
	char *end;

	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (end == text || *end || *text == '-' || n >= UINT32_MAX)
		return err_say(err, EINVAL, "index=%s is no number", text);
	*ret = (uint32_t)n;
	return 0;
}

static int take(struct json_writer *w, char **ret, struct err *err)
{
	size_t len;

	json_close_object(w);
	*ret = json_writer_take(w, &len);
	/* A writer refuses what is no UTF-8. */
	return *ret ? 0 : err_say(err, EINVAL, "the request is no text");
}

int streams_write_logs(const struct call *call, const char *container, char **ret, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return err_set(err, ENOMEM, "ask for a log");
	json_open_object(w);
	json_field_string(w, "container", container);
	json_field_bool(w, "follow", is_true(call, "follow"));
	json_field_bool(w, "timestamps", is_true(call, "timestamps"));
	json_field_string(w, "tail", http_query(call->request, "tail"));
	json_field_string(w, "since", http_query(call->request, "since"));
	return take(w, ret, err);
}

static int show(struct exec_request *request, struct err *err)
{
	struct strbuf sb = { 0 };

	for (const char *const *word = request->command; *word; word++)
		strbuf_addf(&sb, "%s%s", word == request->command ? "" : " ", *word);
	if (sb.len > COMMAND_MAX) {
		strbuf_deinit(&sb);
		return err_say(err, E2BIG, "a command has 48 KiB at most");
	}
	request->shown = strbuf_take(&sb);
	return request->shown ? 0 : err_set(err, ENOMEM, "read a command");
}

int streams_read_exec(const struct call *call, struct exec_request *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	size_t len;
	const char *text = http_body(call->request, &len);

	ret->index = UINT32_MAX;
	ret->arena = arena_new();
	if (!ret->arena)
		return err_set(err, ENOMEM, "read a command");
	if (json_parse(text, len, &doc, err) < 0)
		return err_add(err, "the request");
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_get_u32(&root, "index", &ret->index, err));
	err_try(json_need(json_get_strings(&root, "command", ret->arena, &ret->command, NULL, err),
			  &root, "command", err));
	if (!*ret->command)
		return err_say(err, EINVAL, "say which command");
	err_try(json_get_string(&root, "user", ret->arena, &ret->user, err));
	err_try(json_get_string(&root, "workdir", ret->arena, &ret->workdir, err));
	err_try(json_get_bool(&root, "interactive", &ret->interactive, err));
	err_try(json_get_bool(&root, "tty", &ret->tty, err));
	err_try(json_get_range(&root, "rows", 0, WINDOW_MAX, &ret->rows, err));
	err_try(json_get_range(&root, "columns", 0, WINDOW_MAX, &ret->columns, err));
	return show(ret, err);
}

void exec_request_deinit(struct exec_request *request)
{
	arena_free(request->arena);
	free(request->shown);
}

int streams_write_exec(const struct exec_request *request, const char *container, char **ret,
		       struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return err_set(err, ENOMEM, "execute a command");
	json_open_object(w);
	json_field_string(w, "container", container);
	json_field_strings(w, "command", request->command);
	json_field_string(w, "user", request->user);
	json_field_string(w, "workdir", request->workdir);
	json_field_bool(w, "interactive", request->interactive);
	json_field_bool(w, "tty", request->tty);
	json_field_i64(w, "rows", request->rows);
	json_field_i64(w, "columns", request->columns);
	return take(w, ret, err);
}
