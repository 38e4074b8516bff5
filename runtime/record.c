/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/strbuf.h"

#define RECORD_BYTES_MAX (4 << 20)

/* The part of fixed width: no value makes it longer or shorter. */
#define HEAD_FORMAT "{\"version\":%d,\"pid\":%10d,\"startTime\":%20" PRIu64 ",\"ready\":%5s"

static int format_head(const struct record *record, char *buf, size_t size)
{
	return snprintf(buf, size, HEAD_FORMAT, RECORD_VERSION, record->pid, record->start_ticks,
			record->ready ? "true" : "false");
}

/* The rest as an object of its own, whose opening brace gives way to the head. */
static char *format_rest(const struct record *record)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "ociVersion", record->oci_version);
	json_field_string(w, "id", record->id);
	json_field_string(w, "bundle", record->bundle);
	json_field_string(w, "rootfs", record->rootfs);
	json_field_string(w, "created", record->created);
	json_field_string(w, "cgroupPath", record->cgroup_path);
	json_field_string(w, "systemdUnit", record->systemd_unit);
	if (record->systemd_user)
		json_field_bool(w, "systemdUser", true);
	json_field_bool(w, "execFifo", record->exec_fifo);
	if (record->annotations_count > 0) {
		json_key(w, "annotations");
		json_open_object(w);
		for (size_t i = 0; i < record->annotations_count; i++)
			json_field_string(w, record->annotations[i].key,
					  record->annotations[i].value);
		json_close_object(w);
	}
	json_close_object(w);
	return json_writer_take(w, &len);
}

int record_create(int dirfd, const struct record *record, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	_cleanup_free_ char *rest = format_rest(record);
	_cleanup_fd_ int fd = -1;
	char head[128];
	int r;

	format_head(record, head, sizeof(head));
	strbuf_adds(&text, head);
	strbuf_adds(&text, ",");
	if (rest)
		strbuf_adds(&text, rest + 1);
	strbuf_adds(&text, "\n");
	if (!rest || !strbuf_ok(&text))
		return err_set(err, ENOMEM, "write %s", RECORD_FILE);
	fd = openat(dirfd, RECORD_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "create %s", RECORD_FILE);
	r = fd_write_all(fd, text.data, text.len);
	return r < 0 ? err_set(err, -r, "write %s", RECORD_FILE) : 0;
}

int record_update(int dirfd, const struct record *record, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, RECORD_FILE, O_WRONLY | O_CLOEXEC);
	char head[128];
	int len = format_head(record, head, sizeof(head));

	if (fd < 0)
		return err_set(err, errno, "open %s", RECORD_FILE);
	if (pwrite(fd, head, (size_t)len, 0) != len)
		return err_set(err, errno, "write %s", RECORD_FILE);
	return 0;
}

static int load_annotations(const struct json_node *root, struct arena *arena, struct record *ret,
			    struct err *err)
{
	struct oci_annotation *list;
	struct json_node map;
	int r = json_get_object(root, "annotations", &map, err);

	if (r <= 0)
		return r;
	list = arena_calloc(arena, json_count(&map), sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "read %s", RECORD_FILE);
	for (size_t i = 0; i < json_count(&map); i++) {
		struct json_node member = json_member(&map, i);

		list[i].key = arena_strdup(arena, member.key);
		r = json_string(&member, arena, &list[i].value, err);
		if (r < 0)
			return r;
	}
	ret->annotations = list;
	ret->annotations_count = json_count(&map);
	return 0;
}

static int load_fields(const struct json_node *root, struct arena *arena, struct record *ret,
		       struct err *err)
{
	int64_t pid = 0;

	err_try(json_get_range(root, "pid", 0, INT_MAX, &pid, err));
	err_try(json_get_u64(root, "startTime", &ret->start_ticks, err));
	err_try(json_get_bool(root, "ready", &ret->ready, err));
	err_try(json_get_string(root, "ociVersion", arena, &ret->oci_version, err));
	err_try(json_get_string(root, "id", arena, &ret->id, err));
	err_try(json_get_string(root, "bundle", arena, &ret->bundle, err));
	err_try(json_get_string(root, "rootfs", arena, &ret->rootfs, err));
	err_try(json_get_string(root, "created", arena, &ret->created, err));
	err_try(json_get_string(root, "cgroupPath", arena, &ret->cgroup_path, err));
	err_try(json_get_string(root, "systemdUnit", arena, &ret->systemd_unit, err));
	err_try(json_get_bool(root, "systemdUser", &ret->systemd_user, err));
	err_try(json_get_bool(root, "execFifo", &ret->exec_fifo, err));
	err_try(load_annotations(root, arena, ret, err));
	ret->pid = (pid_t)pid;
	return 0;
}

static int parse(const char *text, size_t len, struct arena *arena, struct record *ret,
		 struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct record record = { 0 };
	struct json_node root;
	int64_t version = 0;

	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_need(json_get_i64(&root, "version", &version, err), &root, "version", err));
	if (version > RECORD_VERSION)
		return err_say(err, EPROTO,
			       "version %" PRId64
			       " was written by a newer cellar; this one reads up to %d",
			       version, RECORD_VERSION);
	err_try(load_fields(&root, arena, &record, err));
	*ret = record;
	return 0;
}

int record_load(int dirfd, struct arena *arena, struct record *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = openat(dirfd, RECORD_FILE, O_RDONLY | O_CLOEXEC);
	struct err damage = { 0 };
	size_t len = 0;
	int r;

	if (fd < 0 && errno != ENOENT)
		return err_set(err, errno, "open %s", RECORD_FILE);
	if (fd >= 0 && fd_read_all(fd, RECORD_BYTES_MAX, &text, &len, err) < 0)
		return err_add(err, RECORD_FILE);
	*ret = (struct record){ 0 };
	if (len == 0)
		return 1;
	r = parse(text, len, arena, ret, &damage);
	if (r == 0)
		return 0;
	err_add(&damage, RECORD_FILE);
	if (r == -EPROTO || r == -ENOMEM)
		return err_say(err, -r, "%s", damage.text);
	ret->damage = arena_strdup(arena, damage.text);
	return ret->damage ? 1 : err_set(err, ENOMEM, "read %s", RECORD_FILE);
}
