/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/event_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/tame.h"

struct event {
	const char *time, *type, *action, *id, *name, *image;
	int64_t time_ns;
};

static int add(struct options_list *list, const char *value)
{
	const char **items = realloc(list->items, (list->count + 2) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count++] = value;
	items[list->count] = NULL;
	return 0;
}

int event_filter_add(struct event_filter *filter, const char *text, struct err *err)
{
	const struct {
		const char *key;
		struct options_list *list;
	} keys[] = {
		{ "container=", &filter->containers }, { "event=", &filter->actions },
		{ "image=", &filter->images },	       { "type=", &filter->types },
		{ "volume=", &filter->volumes },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(text, keys[i].key, len) != 0)
			continue;
		if (!text[len])
			return err_say(err, EINVAL, "\"%s\" has no value", text);
		return add(keys[i].list, text + len) < 0
			       ? err_set(err, ENOMEM, "read the command line")
			       : 0;
	}
	return err_say(err, EINVAL,
		       "\"%s\" is unknown; there are container=NAME, event=NAME, image=NAME, "
		       "type=container, type=volume and volume=NAME",
		       text);
}

void event_filter_deinit(struct event_filter *filter)
{
	options_list_deinit(&filter->containers);
	options_list_deinit(&filter->actions);
	options_list_deinit(&filter->images);
	options_list_deinit(&filter->types);
	options_list_deinit(&filter->volumes);
}

static bool holds(const struct options_list *list, const char *value)
{
	for (size_t i = 0; i < list->count; i++)
		if (value && strcmp(list->items[i], value) == 0)
			return true;
	return list->count == 0;
}

/* By name, or by an id's beginning. */
static bool holds_container(const struct options_list *list, const struct event *e)
{
	if (list->count == 0)
		return true;
	if (strcmp(e->type, "container") != 0)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (e->id && strncmp(e->id, list->items[i], strlen(list->items[i])) == 0)
			return true;
	return holds(list, e->name);
}

/* By its whole name, or without registry or tag as `ctr ps` users write it. */
static bool holds_image(const struct options_list *list, const char *image)
{
	if (holds(list, image))
		return true;
	for (size_t i = 0; image && i < list->count; i++) {
		const char *want = list->items[i], *last = strrchr(image, '/');
		size_t len = strlen(want);

		last = last ? last + 1 : image;
		if (strncmp(image, want, len) == 0 && image[len] == ':')
			return true;
		if (strncmp(last, want, len) == 0 && (!last[len] || last[len] == ':'))
			return true;
	}
	return false;
}

static bool is_wanted(const struct event_filter *f, const struct event *e)
{
	if (e->time_ns < f->since_ns || !holds(&f->types, e->type) ||
	    !holds(&f->actions, e->action) || !holds_container(&f->containers, e) ||
	    !holds_image(&f->images, e->image))
		return false;
	return f->volumes.count == 0 ||
	       (strcmp(e->type, "volume") == 0 && holds(&f->volumes, e->name));
}

static int parse(const struct json_node *root, struct arena *arena, struct event *ret)
{
	const struct {
		const char *key;
		const char **field;
		bool needed;
	} fields[] = {
		{ "time", &ret->time, true },	  { "type", &ret->type, true },
		{ "action", &ret->action, true }, { "id", &ret->id, false },
		{ "name", &ret->name, false },	  { "image", &ret->image, false },
	};

	err_try(json_object(root, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		int r = json_get_string(root, fields[i].key, arena, fields[i].field, NULL);

		if (r < 0 || (r == 0 && fields[i].needed))
			return -EINVAL;
	}
	return clock_parse(ret->time, &ret->time_ns, NULL);
}

static void add_attribute(struct strbuf *sb, const char *key, const char *value)
{
	if (value)
		strbuf_addf(sb, "%s%s=%s", strchr(sb->data, '(') ? ", " : " (", key, value);
}

static void show_text(const struct json_node *root, const struct event *e, struct arena *arena)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	struct json_node attributes;

	strbuf_addf(&sb, "%s %s %s %s", e->time, e->type, e->action, e->id ? e->id : e->name);
	if (!strbuf_ok(&sb))
		return;
	if (json_get_object(root, "attributes", &attributes, NULL) > 0)
		for (size_t i = 0; i < json_count(&attributes); i++) {
			struct json_node node = json_member(&attributes, i);
			const char *value = NULL;

			if (json_string(&node, arena, &value, NULL) > 0)
				add_attribute(&sb, node.key, value);
		}
	if (strcmp(e->type, "image") != 0)
		add_attribute(&sb, "image", e->image);
	add_attribute(&sb, "name", e->id ? e->name : NULL);
	if (strchr(sb.data, '('))
		strbuf_adds(&sb, ")");
	if (!strbuf_ok(&sb))
		return;
	tame(sb.data);
	puts(sb.data);
}

int event_line_show(const char *line, const struct event_filter *filter, bool json)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct event event = { 0 };
	struct json_node root;

	/* What a full disk has cut is no event. */
	if (!arena || !*line || json_parse(line, strlen(line), &doc, NULL) < 0)
		return 0;
	root = json_root(doc);
	if (parse(&root, arena, &event) < 0)
		return 0;
	if (filter->until_ns && event.time_ns > filter->until_ns)
		return 1;
	if (!is_wanted(filter, &event))
		return 0;
	if (json)
		puts(line);
	else
		show_text(&root, &event, arena);
	return 0;
}
