/* SPDX-License-Identifier: Apache-2.0 */
/* ports.json: written by who makes a container, and again with the numbers by who binds them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "netns/publish.h"

#define VERSION 1
#define FILE_LIMIT (1 << 20)

static void format(const struct publish_list *list, struct json_writer *w)
{
	json_open_object(w);
	json_field_i64(w, "version", VERSION);
	json_field_string(w, "target", *list->target ? list->target : NULL);
	json_field_string(w, "target6", *list->target6 ? list->target6 : NULL);
	json_key(w, "ports");
	json_open_array(w);
	for (size_t i = 0; i < list->count; i++) {
		const struct publish_port *p = &list->items[i];

		json_open_object(w);
		json_field_string(w, "address", p->address);
		json_field_u64(w, "host", p->host);
		json_field_u64(w, "host_last", p->host_last);
		json_field_u64(w, "container", p->container);
		json_field_bool(w, "udp", p->udp);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}

int publish_save(int dirfd, const struct publish_list *list, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!w)
		return err_set(err, ENOMEM, "write " PUBLISH_FILE);
	format(list, w);
	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "write " PUBLISH_FILE);
	return file_replace(dirfd, PUBLISH_FILE, text, len, 0600, false, err);
}

static int read_address(const struct json_node *node, const char *key, int family, char *ret,
			size_t size, struct arena *arena, struct err *err)
{
	const char *text = "";
	struct in6_addr in;
	int r = json_get_string(node, key, arena, &text, err);

	if (r < 0)
		return r;
	if (*text && !family)
		family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (*text && inet_pton(family, text, &in) != 1)
		return json_bad(node, err, "%s: \"%s\" is not an address", key, text);
	snprintf(ret, size, "%s", text);
	return 0;
}

static int read_port(const struct json_node *node, struct arena *arena, struct publish_port *ret,
		     struct err *err)
{
	int64_t host = 0, host_last = 0, container = 0;
	int r = json_object(node, err);

	if (r >= 0)
		r = read_address(node, "address", 0, ret->address, sizeof(ret->address), arena,
				 err);
	if (r >= 0)
		r = json_get_range(node, "host", 0, 65535, &host, err);
	if (r >= 0)
		r = json_get_range(node, "host_last", 0, 65535, &host_last, err);
	if (r >= 0)
		r = json_need(json_get_range(node, "container", 1, 65535, &container, err), node,
			      "container", err);
	if (r >= 0)
		r = json_get_bool(node, "udp", &ret->udp, err);
	ret->host = (uint16_t)host;
	ret->host_last = (uint16_t)host_last;
	ret->container = (uint16_t)container;
	return r < 0 ? r : 0;
}

static int read_ports(const struct json_node *root, struct arena *arena, struct publish_list *ret,
		      struct err *err)
{
	struct json_node ports;
	size_t count = 0;
	int r = json_need(json_get_array(root, "ports", &ports, &count, err), root, "ports", err);

	if (r < 0)
		return r;
	if (count > PUBLISH_MAX)
		return json_bad(&ports, err, "more than %d", PUBLISH_MAX);
	ret->items = calloc(count + 1, sizeof(*ret->items));
	if (!ret->items)
		return err_set(err, ENOMEM, "read " PUBLISH_FILE);
	for (; r >= 0 && ret->count < count; ret->count++) {
		struct json_node node = json_at(&ports, ret->count);

		r = read_port(&node, arena, &ret->items[ret->count], err);
	}
	return r < 0 ? r : 0;
}

static int parse(const char *text, size_t len, struct publish_list *ret, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	int64_t version;
	int r = arena ? json_parse(text, len, &doc, err)
		      : err_set(err, ENOMEM, "read " PUBLISH_FILE);

	if (r < 0)
		return r;
	root = json_root(doc);
	r = json_need(json_get_range(&root, "version", 1, VERSION, &version, err), &root, "version",
		      err);
	if (r >= 0)
		r = read_address(&root, "target", AF_INET, ret->target, sizeof(ret->target), arena,
				 err);
	if (r >= 0)
		r = read_address(&root, "target6", AF_INET6, ret->target6, sizeof(ret->target6),
				 arena, err);
	return r < 0 ? r : read_ports(&root, arena, ret, err);
}

int publish_load(int dirfd, struct publish_list *ret, struct err *err)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(dirfd, PUBLISH_FILE, FILE_LIMIT, &text, &len, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r == 0)
		r = parse(text, len, &list, err);
	if (r < 0)
		return err_add(err, PUBLISH_FILE);
	*ret = list;
	list = (struct publish_list){ 0 };
	return 1;
}
