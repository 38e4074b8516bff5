/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/resolver_file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"

#define VERSION 1
#define FILE_LIMIT 65536

int resolver_settings_save(int dirfd, const struct resolver_settings *settings, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!w)
		return err_set(err, ENOMEM, "write " RESOLVER_FILE);
	json_open_object(w);
	json_field_i64(w, "version", VERSION);
	json_field_string(w, "netns", settings->netns);
	json_field_strings(w, "servers", settings->servers);
	json_close_object(w);
	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "write " RESOLVER_FILE);
	return file_replace(dirfd, RESOLVER_FILE, text, len, 0600, false, err);
}

static int parse(const char *text, size_t len, struct arena *arena, struct resolver_settings *ret,
		 struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	int64_t version;
	size_t count;
	int r = json_parse(text, len, &doc, err);

	if (r < 0)
		return r;
	root = json_root(doc);
	r = json_need(json_get_range(&root, "version", 1, VERSION, &version, err), &root, "version",
		      err);
	if (r >= 0)
		r = json_need(json_get_string(&root, "netns", arena, &ret->netns, err), &root,
			      "netns", err);
	if (r >= 0)
		r = json_need(json_get_strings(&root, "servers", arena, &ret->servers, &count, err),
			      &root, "servers", err);
	return r;
}

int resolver_settings_load(int dirfd, struct arena *arena, struct resolver_settings *ret,
			   struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(dirfd, RESOLVER_FILE, FILE_LIMIT, &text, &len, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r == 0)
		r = parse(text, len, arena, ret, err);
	return r < 0 ? err_add(err, RESOLVER_FILE) : 1;
}
