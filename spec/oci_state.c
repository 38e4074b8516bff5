/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/oci_state.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "base/json_merge.h"
#include "spec/oci_parse.h"

static int parse_status(const struct json_node *root, struct arena *arena, enum oci_status *ret,
			struct err *err)
{
	const char *name = NULL;
	struct json_node bad;
	int status;

	err_try(json_need(json_get_string(root, "status", arena, &name, err), root, "status", err));
	status = oci_status_parse(name);
	if (status < 0) {
		json_get(root, "status", &bad, err);
		return json_bad(&bad, err, "\"%s\" is no status of a container", name);
	}
	*ret = (enum oci_status)status;
	return 0;
}

int oci_state_parse(const char *text, size_t len, struct arena *arena, struct oci_state *ret,
		    struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_state s = { 0 };
	struct json_node root;
	int64_t pid = 0;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_need(json_get_string(&root, "ociVersion", arena, &s.oci_version, err), &root,
			  "ociVersion", err));
	err_try(json_need(json_get_string(&root, "id", arena, &s.id, err), &root, "id", err));
	err_try(parse_status(&root, arena, &s.status, err));
	err_try(json_get_range(&root, "pid", 0, INT_MAX, &pid, err));
	s.pid = (pid_t)pid;
	err_try(json_need(json_get_string(&root, "bundle", arena, &s.bundle, err), &root, "bundle",
			  err));
	err_try(json_get_string(&root, "rootfs", arena, &s.rootfs, err));
	err_try(json_get_string(&root, "created", arena, &s.created, err));
	err_try(json_get_string(&root, "owner", arena, &s.owner, err));
	err_try(oci_parse_annotations(&root, "annotations", arena, &s.annotations,
				      &s.annotations_count, err));
	s.source.json = arena_strndup(arena, text, len);
	if (!s.source.json)
		return err_set(err, ENOMEM, "read state");
	*ret = s;
	return 0;
}

static int format_known(const struct oci_state *s, bool pretty, char **ret, size_t *ret_len,
			struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(pretty);
	char *text;

	if (!w)
		return err_set(err, ENOMEM, "write state");
	json_open_object(w);
	json_field_string(w, "ociVersion", s->oci_version ? s->oci_version : OCI_VERSION);
	json_field_string(w, "id", s->id);
	/* In runc's order, which also prints "pid": 0 for a stopped container. */
	json_field_i64(w, "pid", s->status == OCI_STOPPED ? 0 : s->pid);
	json_field_string(w, "status", oci_status_name(s->status));
	json_field_string(w, "bundle", s->bundle);
	json_field_string(w, "rootfs", s->rootfs);
	json_field_string(w, "created", s->created);
	if (s->annotations_count > 0) {
		json_key(w, "annotations");
		json_open_object(w);
		for (size_t i = 0; i < s->annotations_count; i++)
			json_field_string(w, s->annotations[i].key, s->annotations[i].value);
		json_close_object(w);
	}
	json_field_string(w, "owner", s->owner);
	json_close_object(w);
	text = json_writer_take(w, ret_len);
	if (!text)
		return err_set(err, ENOMEM, "write state");
	*ret = text;
	return 0;
}

int oci_state_format(const struct oci_state *s, bool pretty, char **ret, size_t *ret_len,
		     struct err *err)
{
	_cleanup_free_ char *before = NULL, *after = NULL;
	const char *source = s->source.json;
	_cleanup_arena_ struct arena *arena = NULL;
	struct oci_state parsed;

	if (!source)
		return format_known(s, pretty, ret, ret_len, err);
	arena = arena_new();
	if (!arena)
		return err_set(err, ENOMEM, "write state");
	err_try(oci_state_parse(source, strlen(source), arena, &parsed, err));
	parsed.source.json = NULL;
	err_try(format_known(&parsed, false, &before, NULL, err));
	err_try(format_known(s, false, &after, NULL, err));
	return json_merge(source, before, after, pretty, ret, ret_len, err);
}
