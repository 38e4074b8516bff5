/* SPDX-License-Identifier: Apache-2.0 */
/* exit.json, read. */
#include "runtime/engine/exit_record.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "runtime/engine/layout.h"

#define FILE_LIMIT 65536
#define EXIT_RECORD_VERSION 1 /* as runtime/shim/end.c writes it */

static int parse(const char *text, size_t len, struct exit_record *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct exit_record record = { 0 };
	const char *time = NULL;
	struct json_node root;
	int64_t code = -1, version = 0;
	int r = arena ? json_parse(text, len, &doc, err) : err_set(err, ENOMEM, "read exit");

	if (r < 0)
		return r;
	root = json_root(doc);
	r = json_get_range(&root, "version", 1, INT64_MAX, &version, err);
	if (r >= 0 && version > EXIT_RECORD_VERSION)
		return err_say(err, EPROTO, "written by a newer Cellar (version %d)", (int)version);
	if (r >= 0)
		r = json_get_range(&root, "exit_code", 0, 255, &code, err);
	if (r >= 0)
		r = json_get_bool(&root, "oom_killed", &record.oom_killed, err);
	if (r >= 0)
		r = json_get_string(&root, "finished", arena, &time, err);
	if (r > 0)
		r = clock_parse(time, &record.exited_ns, err);
	if (r < 0)
		return r;
	record.code = (int)code;
	*ret = record;
	return 0;
}

int exit_record_load(int dirfd, struct exit_record *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(dirfd, LAYOUT_EXIT, FILE_LIMIT, &text, &len, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r == 0)
		r = parse(text, len, ret, err);
	return r < 0 ? err_add(err, LAYOUT_EXIT) : 1;
}
