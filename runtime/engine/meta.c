/* SPDX-License-Identifier: Apache-2.0 */
/* meta.json, written and read. */
#include "runtime/engine/meta.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "runtime/engine/id.h"
#include "runtime/engine/layout.h"
#include "runtime/engine/meta_health.h"
#include "runtime/engine/meta_limits.h"
#include "runtime/engine/meta_mounts.h"
#include "runtime/engine/meta_namespaces.h"
#include "runtime/engine/meta_security.h"

#define FILE_LIMIT (4 << 20)

static const char *const network_names[] = {
	[ENGINE_NETWORK_BRIDGE] = "bridge",
	[ENGINE_NETWORK_NONE] = "none",
	[ENGINE_NETWORK_HOST] = "host",
	[ENGINE_NETWORK_CONTAINER] = "container",
};

const char *meta_network_name(enum engine_network network)
{
	return network_names[network];
}

int meta_network_parse(const char *name, enum engine_network *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(network_names); i++)
		if (strcmp(name, network_names[i]) == 0) {
			*ret = (enum engine_network)i;
			return 0;
		}
	return err_say(err, EINVAL, "network \"%s\" is unknown; there are bridge, none and host",
		       name);
}

static void format_fields(struct json_writer *w, const struct meta *meta)
{
	char time[CLOCK_RFC3339_SIZE];

	json_field_i64(w, "version", META_VERSION);
	json_field_string(w, "id", meta->id);
	json_field_string(w, "name", meta->name);
	json_field_string(w, "created", clock_format(meta->created_ns, time));
	json_field_string(w, "image", meta->image);
	json_field_string(w, "image_id", meta->image_id);
	json_field_strings(w, "layers", meta->layers);
	json_field_strings(w, "command", meta->command);
	json_field_string(w, "hostname", meta->hostname);
	json_field_string(w, "network", meta_network_name(meta->network));
	json_field_string(w, "address", meta->address);
	json_field_string(w, "gateway", meta->gateway);
	meta_network_format(w, &meta->net);
	json_field_string(w, "stop_signal", meta->stop_signal);
	json_field_i64(w, "stop_timeout_s", meta->stop_timeout_s);
	json_field_string(w, "domainname", meta->domainname);
	json_field_bool(w, "init", meta->init);
	json_field_string(w, "restart", meta->restart);
	json_field_bool(w, "terminal", meta->terminal);
	json_field_bool(w, "interactive", meta->interactive);
	json_field_bool(w, "auto_remove", meta->auto_remove);
	labels_format(w, "labels", &meta->labels);
	labels_format(w, "annotations", &meta->annotations);
	meta_health_format(w, &meta->health);
	meta_limits_format(w, &meta->limits);
	meta_security_format(w, &meta->security);
}

int meta_format(const struct meta *meta, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	char *text;

	if (!w)
		return err_set(err, ENOMEM, "write " LAYOUT_META);
	json_open_object(w);
	format_fields(w, meta);
	meta_mounts_format(w, meta->mounts, meta->mounts_count);
	meta_namespaces_format(w, &meta->namespaces);
	json_close_object(w);
	text = json_writer_take(w, ret_len);
	if (!text)
		return err_set(err, ENOMEM, "write " LAYOUT_META);
	*ret = text;
	return 0;
}

static int parse_strings(const struct json_node *root, struct arena *arena, struct meta *ret,
			 struct err *err)
{
	const struct {
		const char *key;
		const char **field;
		bool needed;
	} strings[] = {
		{ "id", &ret->id, true },
		{ "name", &ret->name, true },
		{ "image", &ret->image, true },
		{ "image_id", &ret->image_id, false },
		{ "hostname", &ret->hostname, true },
		{ "address", &ret->address, false },
		{ "gateway", &ret->gateway, false },
		{ "stop_signal", &ret->stop_signal, false },
		{ "domainname", &ret->domainname, false },
		{ "restart", &ret->restart, false },
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(strings); i++) {
		r = json_get_string(root, strings[i].key, arena, strings[i].field, err);
		if (strings[i].needed)
			r = json_need(r, root, strings[i].key, err);
	}
	return r;
}

static int parse_switches(const struct json_node *root, struct meta *ret, struct err *err)
{
	const struct {
		const char *key;
		bool *field;
	} bools[] = {
		{ "init", &ret->init },
		{ "terminal", &ret->terminal },
		{ "interactive", &ret->interactive },
		{ "auto_remove", &ret->auto_remove },
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(bools); i++)
		r = json_get_bool(root, bools[i].key, bools[i].field, err);
	return r;
}

static int parse_times_and_lists(const struct json_node *root, struct arena *arena,
				 struct meta *ret, struct err *err)
{
	const char *text = NULL;
	size_t count;
	int r = json_need(json_get_string(root, "created", arena, &text, err), root, "created",
			  err);

	if (r >= 0)
		r = clock_parse(text, &ret->created_ns, err);
	if (r >= 0)
		r = json_need(json_get_string(root, "network", arena, &text, err), root, "network",
			      err);
	if (r >= 0)
		r = meta_network_parse(text, &ret->network, err);
	if (r >= 0)
		r = json_get_strings(root, "layers", arena, &ret->layers, &count, err);
	if (r >= 0)
		r = json_get_strings(root, "command", arena, &ret->command, &count, err);
	if (r >= 0)
		r = json_get_range(root, "stop_timeout_s", -1, INT32_MAX, &ret->stop_timeout_s,
				   err);
	if (r >= 0)
		r = labels_parse(root, "labels", arena, &ret->labels, err);
	if (r >= 0)
		r = labels_parse(root, "annotations", arena, &ret->annotations, err);
	return r;
}

int meta_parse(const char *text, size_t len, struct arena *arena, struct meta *ret, struct err *err)
{
	static const char *const none[] = { NULL };
	_cleanup_json_ struct json_doc *doc = NULL;
	struct meta meta = { .layers = none,
			     .command = none,
			     .stop_timeout_s = ENGINE_STOP_TIMEOUT_S };
	struct json_node root;
	int64_t version = 0;
	int r = json_parse(text, len, &doc, err);

	if (r < 0)
		return r;
	root = json_root(doc);
	r = json_need(json_get_range(&root, "version", 1, INT64_MAX, &version, err), &root,
		      "version", err);
	if (r >= 0 && version > META_VERSION)
		return err_say(err, EPROTO, "written by a newer Cellar (version %d)", (int)version);
	if (r >= 0)
		r = parse_strings(&root, arena, &meta, err);
	if (r >= 0)
		r = parse_switches(&root, &meta, err);
	if (r >= 0)
		r = meta_limits_parse(&root, arena, &meta.limits, err);
	if (r >= 0)
		r = meta_health_parse(&root, arena, &meta.health, err);
	if (r >= 0)
		r = meta_security_parse(&root, arena, &meta.security, err);
	if (r >= 0)
		r = parse_times_and_lists(&root, arena, &meta, err);
	if (r >= 0)
		r = meta_network_read(&root, arena, &meta.net, err);
	if (r >= 0)
		r = meta_mounts_parse(&root, arena, &meta.mounts, &meta.mounts_count, err);
	if (r >= 0)
		r = meta_namespaces_parse(&root, arena, &meta.namespaces, err);
	if (r < 0)
		return r;
	if (!id_is_valid(meta.id))
		return err_say(err, EINVAL, "id: \"%s\" is not 64 hex digits", meta.id);
	*ret = meta;
	return 0;
}

int meta_save(int dirfd, const struct meta *meta, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = meta_format(meta, &text, &len, err);

	return r < 0 ? r : file_replace(dirfd, LAYOUT_META, text, len, 0600, false, err);
}

int meta_load(int dirfd, struct arena *arena, struct meta *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(dirfd, LAYOUT_META, FILE_LIMIT, &text, &len, err);

	if (r < 0)
		return r;
	r = meta_parse(text, len, arena, ret, err);
	return r < 0 ? err_add(err, LAYOUT_META) : 0;
}
