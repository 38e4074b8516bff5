/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/exchange_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "scheduler/core/amounts.h"

#define STATUS_MAX 599

static const char *const kind_names[] = {
	[WANT_HEALTH_OF_IMAGE] = "",
	[WANT_HEALTH_EXEC] = "exec",
	[WANT_HEALTH_HTTP] = "http",
	[WANT_HEALTH_TCP] = "tcp",
};

int exchange_objects(const struct json_node *node, const char *key, struct arena *arena,
		     size_t size, exchange_fn fn, const void *ret_items, size_t *ret_count,
		     struct err *err)
{
	struct json_node array;
	size_t count = 0;
	char *items;
	int r = json_get_array(node, key, &array, &count, err);

	if (r <= 0 || !count)
		return r < 0 ? r : 0;
	items = arena_calloc(arena, count, size);
	if (!items)
		return err_set(err, ENOMEM, "read %s", key);
	for (size_t i = 0; i < count; i++) {
		struct json_node one = json_at(&array, i);

		err_try(json_object(&one, err));
		err_try(fn(&one, arena, items + i * size, err));
	}
	*(void **)(uintptr_t)ret_items = items;
	*ret_count = count;
	return 0;
}

static int need_text(const struct json_node *node, const char *key, struct arena *arena,
		     const char **ret, struct err *err)
{
	return json_need(json_get_string(node, key, arena, ret, err), node, key, err);
}

/* ---- bytes ---- */

static void write_bytes(struct json_writer *w, const char *key, const void *data, size_t len)
{
	_cleanup_free_ char *text = data ? base64_write(data, len) : NULL;

	json_field_string(w, key, text);
}

static int read_bytes(const struct json_node *node, const char *key, struct arena *arena,
		      const void **ret, size_t *ret_len, struct err *err)
{
	const char *text = NULL;
	ssize_t len;
	char *data;

	err_try(json_get_string(node, key, arena, &text, err));
	if (!text)
		return 0;
	data = arena_alloc(arena, BASE64_ROOM(strlen(text)) + 1);
	if (!data)
		return err_set(err, ENOMEM, "read %s", key);
	len = base64_read(text, data);
	if (len < 0)
		return json_bad(node, err, "%s: this is no base64", key);
	data[len] = '\0';
	*ret = data;
	*ret_len = (size_t)len;
	return 0;
}

/* ---- health ---- */

void exchange_write_health(struct json_writer *w, const struct want_health *health)
{
	if (health->kind == WANT_HEALTH_OF_IMAGE)
		return;
	json_key(w, "health");
	json_open_object(w);
	json_field_string(w, "kind", kind_names[health->kind]);
	if (health->exec)
		json_field_strings(w, "exec", health->exec);
	json_field_string(w, "path", health->path);
	json_field_u64(w, "port", health->port);
	json_field_i64(w, "interval_ms", health->interval_ms);
	json_field_i64(w, "timeout_ms", health->timeout_ms);
	json_field_i64(w, "start_period_ms", health->start_period_ms);
	json_field_i64(w, "retries", health->retries);
	json_close_object(w);
}

int exchange_read_health(const struct json_node *node, struct arena *arena, struct want_health *ret,
			 struct err *err)
{
	struct json_node health;
	const char *kind = "";
	int64_t port = 0;
	int r = json_get_object(node, "health", &health, err);

	if (r <= 0)
		return r;
	err_try(need_text(&health, "kind", arena, &kind, err));
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (strcmp(kind, kind_names[i]) == 0)
			ret->kind = (enum want_health_kind)i;
	err_try(json_get_strings(&health, "exec", arena, &ret->exec, NULL, err));
	err_try(json_get_string(&health, "path", arena, &ret->path, err));
	err_try(json_get_range(&health, "port", 0, UINT16_MAX, &port, err));
	err_try(json_get_range(&health, "interval_ms", 0, AMOUNT_MAX, &ret->interval_ms, err));
	err_try(json_get_range(&health, "timeout_ms", 0, AMOUNT_MAX, &ret->timeout_ms, err));
	err_try(json_get_range(&health, "start_period_ms", 0, AMOUNT_MAX, &ret->start_period_ms,
			       err));
	err_try(json_get_range(&health, "retries", 0, UINT16_MAX, &ret->retries, err));
	ret->port = (uint16_t)port;
	if (ret->kind == WANT_HEALTH_OF_IMAGE || (ret->kind == WANT_HEALTH_EXEC && !ret->exec) ||
	    (ret->kind == WANT_HEALTH_HTTP && !ret->path))
		return json_bad(&health, err, "this is no health check");
	return 0;
}

/* ---- secrets ---- */

void exchange_write_secrets(struct json_writer *w, const struct want *want)
{
	if (want->secrets_version)
		json_field_u64(w, "secrets_version", want->secrets_version);
	if (!want->secret_count)
		return;
	json_key(w, "secrets");
	json_open_array(w);
	for (size_t i = 0; i < want->secret_count; i++) {
		json_open_object(w);
		json_field_string(w, "target", want->secrets[i].target);
		write_bytes(w, "value", want->secrets[i].value, want->secrets[i].len);
		json_close_object(w);
	}
	json_close_array(w);
}

static int read_secret(const struct json_node *node, struct arena *arena, void *ret,
		       struct err *err)
{
	struct want_secret *secret = ret;

	err_try(need_text(node, "target", arena, &secret->target, err));
	return read_bytes(node, "value", arena, &secret->value, &secret->len, err);
}

int exchange_read_secrets(const struct json_node *node, struct arena *arena, struct want *ret,
			  struct err *err)
{
	err_try(json_get_u64(node, "secrets_version", &ret->secrets_version, err));
	return exchange_objects(node, "secrets", arena, sizeof(*ret->secrets), read_secret,
				&ret->secrets, &ret->secret_count, err);
}

/* ---- allocs ---- */

void exchange_write_allocs(struct json_writer *w, const struct machine_wants *wants)
{
	if (!wants->alloc_count)
		return;
	json_key(w, "allocs");
	json_open_array(w);
	for (size_t i = 0; i < wants->alloc_count; i++) {
		json_open_object(w);
		json_field_string(w, "name", wants->allocs[i].name);
		json_field_i64(w, "cpu_milli", wants->allocs[i].cpu_milli);
		json_field_i64(w, "memory_bytes", wants->allocs[i].memory_bytes);
		json_close_object(w);
	}
	json_close_array(w);
}

static int read_alloc(const struct json_node *node, struct arena *arena, void *ret, struct err *err)
{
	struct want_alloc *alloc = ret;

	err_try(need_text(node, "name", arena, &alloc->name, err));
	if (strlen(alloc->name) >= TASK_NAME_SIZE)
		return json_bad(node, err, "name: it is too long");
	err_try(json_get_range(node, "cpu_milli", 0, AMOUNT_MAX, &alloc->cpu_milli, err));
	return json_get_range(node, "memory_bytes", 0, AMOUNT_MAX, &alloc->memory_bytes, err);
}

int exchange_read_allocs(const struct json_node *node, struct arena *arena,
			 struct machine_wants *ret, struct err *err)
{
	return exchange_objects(node, "allocs", arena, sizeof(*ret->allocs), read_alloc,
				&ret->allocs, &ret->alloc_count, err);
}

/* ---- calls ---- */

void exchange_write_calls(struct json_writer *w, const struct machine_report *report)
{
	if (!report->call_count)
		return;
	json_key(w, "calls");
	json_open_array(w);
	for (size_t i = 0; i < report->call_count; i++) {
		const struct task_call *call = &report->calls[i];

		json_open_object(w);
		json_field_u64(w, "number", call->number);
		json_field_string(w, "task", call->task);
		json_field_u64(w, "incarnation", call->incarnation);
		json_field_string(w, "method", call->method);
		json_field_string(w, "path", call->path);
		write_bytes(w, "body", call->body, call->body_len);
		json_close_object(w);
	}
	json_close_array(w);
}

static int read_call(const struct json_node *node, struct arena *arena, void *ret, struct err *err)
{
	struct task_call *call = ret;
	const void *body = NULL;

	err_try(json_get_u64(node, "number", &call->number, err));
	err_try(need_text(node, "task", arena, &call->task, err));
	err_try(json_get_u64(node, "incarnation", &call->incarnation, err));
	err_try(need_text(node, "method", arena, &call->method, err));
	err_try(need_text(node, "path", arena, &call->path, err));
	err_try(read_bytes(node, "body", arena, &body, &call->body_len, err));
	call->body = body;
	return 0;
}

int exchange_read_calls(const struct json_node *node, struct arena *arena,
			struct machine_report *ret, struct err *err)
{
	return exchange_objects(node, "calls", arena, sizeof(*ret->calls), read_call, &ret->calls,
				&ret->call_count, err);
}

void exchange_write_answers(struct json_writer *w, const struct machine_wants *wants)
{
	if (!wants->answer_count)
		return;
	json_key(w, "answers");
	json_open_array(w);
	for (size_t i = 0; i < wants->answer_count; i++) {
		json_open_object(w);
		json_field_u64(w, "number", wants->answers[i].number);
		json_field_i64(w, "status", wants->answers[i].status);
		json_field_string(w, "body", wants->answers[i].body);
		json_close_object(w);
	}
	json_close_array(w);
}

static int read_answer(const struct json_node *node, struct arena *arena, void *ret,
		       struct err *err)
{
	struct task_answer *answer = ret;

	err_try(json_get_u64(node, "number", &answer->number, err));
	err_try(json_get_range(node, "status", 0, STATUS_MAX, &answer->status, err));
	return need_text(node, "body", arena, &answer->body, err);
}

int exchange_read_answers(const struct json_node *node, struct arena *arena,
			  struct machine_wants *ret, struct err *err)
{
	return exchange_objects(node, "answers", arena, sizeof(*ret->answers), read_answer,
				&ret->answers, &ret->answer_count, err);
}

void exchange_write_kept(struct json_writer *w, const char *key, const struct task_kept *list,
			 size_t count)
{
	if (!count)
		return;
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; i < count; i++) {
		json_open_object(w);
		json_field_string(w, "task", list[i].task);
		json_field_u64(w, "incarnation", list[i].incarnation);
		json_close_object(w);
	}
	json_close_array(w);
}

static int read_kept(const struct json_node *node, struct arena *arena, void *ret, struct err *err)
{
	struct task_kept *kept = ret;

	err_try(need_text(node, "task", arena, &kept->task, err));
	if (strlen(kept->task) >= TASK_NAME_SIZE)
		return json_bad(node, err, "task: the name is too long");
	return json_need(json_get_u64(node, "incarnation", &kept->incarnation, err), node,
			 "incarnation", err);
}

int exchange_read_kept(const struct json_node *node, const char *key, struct arena *arena,
		       const struct task_kept **ret, size_t *ret_count, struct err *err)
{
	struct json_node array;
	size_t count = 0;

	if (json_get_array(node, key, &array, &count, NULL) > 0 && count > TASKS_KEPT_MAX)
		return json_bad(&array, err, "more than %d checkpoints", TASKS_KEPT_MAX);
	return exchange_objects(node, key, arena, sizeof(**ret), read_kept, ret, ret_count, err);
}
