/* SPDX-License-Identifier: Apache-2.0 */
/* volume.json, written and read. Carries "version": 1; unknown fields are ignored. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "storage/volume_struct.h"

#define VERSION 1
#define FILE_LIMIT (1 << 20)

int volume_save_file(int fd, const struct volume_info *info, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	_cleanup_free_ char *text = NULL;
	char time[CLOCK_RFC3339_SIZE];
	size_t len;

	if (!w)
		return err_set(err, ENOMEM, "write " VOLUME_FILE);
	json_open_object(w);
	json_field_i64(w, "version", VERSION);
	json_field_string(w, "created", clock_format(info->created_ns, time));
	json_field_bool(w, "anonymous", info->anonymous);
	if (info->labels)
		json_field_strings(w, "labels", info->labels);
	json_close_object(w);
	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "write " VOLUME_FILE);
	return file_replace(fd, VOLUME_FILE, text, len, 0600, false, err);
}

static int parse(const char *text, size_t len, struct arena *arena, struct volume_info *ret,
		 struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	const char *created = NULL;
	int64_t version = 0;
	size_t count;
	int r = json_parse(text, len, &doc, err);

	if (r < 0)
		return r;
	root = json_root(doc);
	r = json_need(json_get_range(&root, "version", 1, INT64_MAX, &version, err), &root,
		      "version", err);
	if (r >= 0 && version > VERSION)
		return err_say(err, EPROTO, "written by a newer Cellar (version %d)", (int)version);
	if (r >= 0)
		r = json_get_string(&root, "created", arena, &created, err);
	if (r > 0)
		r = clock_parse(created, &ret->created_ns, err);
	if (r >= 0)
		r = json_get_bool(&root, "anonymous", &ret->anonymous, err);
	if (r >= 0)
		r = json_get_strings(&root, "labels", arena, &ret->labels, &count, err);
	return r < 0 ? r : 0;
}

int volume_load_file(int fd, struct arena *arena, struct volume_info *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	struct volume_info info = { 0 };
	struct stat st;
	size_t len;
	int r = file_read(fd, VOLUME_FILE, FILE_LIMIT, &text, &len, err);

	if (r == -ENOENT) {
		/* Older than the file, or killed while it was made. */
		err_clear(err);
		if (fstat(fd, &st) == 0)
			info.created_ns = (int64_t)st.st_ctim.tv_sec * 1000000000;
		*ret = info;
		return 0;
	}
	if (r == 0)
		r = parse(text, len, arena, &info, err);
	if (r < 0)
		return err_add(err, VOLUME_FILE);
	*ret = info;
	return 0;
}
