/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/bundle_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"

#define NAME "cellar-shim.json"
#define VERSION 1

int bundle_file_write(const char *bundle, const char *runtime_root, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int r = path_join(path, sizeof(path), bundle, NAME, err);

	if (r < 0)
		return r;
	if (!w)
		return err_set(err, ENOMEM, "write %s", path);
	json_open_object(w);
	json_field_i64(w, "version", VERSION);
	json_field_string(w, "runtimeRoot", runtime_root);
	json_close_object(w);
	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "write %s", path);
	return file_replace(AT_FDCWD, path, text, len, 0600, false, err);
}

int bundle_file_read(const char *bundle, char **ret_runtime_root, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = NULL;
	const char *root = NULL;
	struct json_node node;
	char path[PATH_MAX];
	size_t len;
	char *copy;
	int r = path_join(path, sizeof(path), bundle, NAME, err);

	if (r < 0)
		return r;
	if (!arena)
		return err_set(err, ENOMEM, "read %s", path);
	r = file_read(AT_FDCWD, path, 65536, &text, &len, err);
	if (r < 0)
		return r;
	r = json_parse(text, len, &doc, err);
	if (r == 0) {
		node = json_root(doc);
		r = json_need(json_get_string(&node, "runtimeRoot", arena, &root, err), &node,
			      "runtimeRoot", err);
	}
	if (r < 0)
		return err_add(err, "read %s", path);
	copy = strdup(root);
	if (!copy)
		return err_set(err, ENOMEM, "read %s", path);
	*ret_runtime_root = copy;
	return 0;
}
