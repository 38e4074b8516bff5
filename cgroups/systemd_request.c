/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroups/systemd_request.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/json.h"

static const char *const verbs[SYSTEMD_VERBS] = {
	[SYSTEMD_START] = "start",
	[SYSTEMD_SET] = "set",
	[SYSTEMD_STOP] = "stop",
};

static void put_property(struct json_writer *w, const struct systemd_property *p)
{
	json_open_object(w);
	json_field_string(w, "name", p->name);
	json_field_string(w, "type", p->type);
	json_key(w, "values");
	json_open_array(w);
	for (size_t i = 0; i < p->count; i++)
		json_put_string(w, p->values[i]);
	json_close_array(w);
	json_field_i64(w, "since", p->since);
	json_close_object(w);
}

char *systemd_request_format(const struct systemd_request *request, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_i64(w, "version", SYSTEMD_REQUEST_VERSION);
	json_field_string(w, "verb", verbs[request->verb]);
	json_field_bool(w, "user", request->user);
	json_field_string(w, "unit", request->unit);
	json_field_i64(w, "pid", request->pid);
	json_key(w, "properties");
	json_open_array(w);
	for (size_t i = 0; i < request->properties_count; i++)
		put_property(w, &request->properties[i]);
	json_close_array(w);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

static int parse_property(const struct json_node *node, struct arena *arena,
			  struct systemd_property *ret, struct err *err)
{
	int64_t since = 0;

	err_try(json_object(node, err));
	err_try(json_need(json_get_string(node, "name", arena, &ret->name, err), node, "name",
			  err));
	err_try(json_need(json_get_string(node, "type", arena, &ret->type, err), node, "type",
			  err));
	err_try(json_get_strings(node, "values", arena, &ret->values, &ret->count, err));
	err_try(json_get_range(node, "since", 0, 100000, &since, err));
	ret->since = (unsigned)since;
	return 0;
}

static int parse_verb(const struct json_node *root, struct arena *arena, enum systemd_verb *ret,
		      struct err *err)
{
	const char *word;

	err_try(json_need(json_get_string(root, "verb", arena, &word, err), root, "verb", err));
	for (int i = 0; i < SYSTEMD_VERBS; i++) {
		if (strcmp(word, verbs[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return err_say(err, EINVAL, "verb: '%s' is none", word);
}

int systemd_request_parse(const char *text, size_t len, struct arena *arena,
			  struct systemd_request *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct systemd_request request = { 0 };
	struct json_node root, list = { 0 };
	struct systemd_property *properties;
	int64_t version = 0, pid = 0;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_need(json_get_range(&root, "version", SYSTEMD_REQUEST_VERSION,
					 SYSTEMD_REQUEST_VERSION, &version, err),
			  &root, "version", err));
	err_try(parse_verb(&root, arena, &request.verb, err));
	err_try(json_get_bool(&root, "user", &request.user, err));
	err_try(json_need(json_get_string(&root, "unit", arena, &request.unit, err), &root, "unit",
			  err));
	err_try(json_get_range(&root, "pid", 0, INT_MAX, &pid, err));
	request.pid = (pid_t)pid;
	err_try(json_get_array(&root, "properties", &list, &request.properties_count, err));
	properties = arena_calloc(arena, request.properties_count + 1, sizeof(*properties));
	if (!properties)
		return err_set(err, ENOMEM, "read the request");
	for (size_t i = 0; i < request.properties_count; i++) {
		struct json_node node = json_at(&list, i);

		err_try(parse_property(&node, arena, &properties[i], err));
	}
	request.properties = properties;
	*ret = request;
	return 0;
}

char *systemd_answer_format(const char *cgroup, const struct err *err, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "cgroup", cgroup);
	if (err && err->code) {
		json_field_i64(w, "code", err->code);
		json_field_string(w, "error", err->text);
	}
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

int systemd_answer_parse(const char *text, size_t len, struct arena *arena, const char **ret_cgroup,
			 struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *cgroup = NULL, *error = "cellar-systemd gave no reason";
	struct json_node root;
	int64_t code = 0;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_get_range(&root, "code", 0, 4095, &code, err));
	err_try(json_get_string(&root, "error", arena, &error, err));
	err_try(json_get_string(&root, "cgroup", arena, &cgroup, err));
	if (code > 0)
		return err_say(err, (int)code, "%s", error);
	*ret_cgroup = cgroup;
	return 0;
}
