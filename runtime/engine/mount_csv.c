/* SPDX-License-Identifier: Apache-2.0 */
/* --mount: Docker's keys, by commas, quoted as CSV has it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine/mount_text.h"
#include "runtime/engine/quantity.h"
#include "storage/volume.h"

#define FIELDS_MAX 64
#define MODE_MAX 07777

enum kind { ANY, BIND, VOLUME, TMPFS };

struct reader {
	const char *text;
	struct arena *arena;
	struct engine_mount mount;
	enum kind kind;
	const char *size, *mode, *recursive;
	bool not_recursive;
	const char *labels[FIELDS_MAX];
	size_t labels_count;
	struct err *err;
};

static int bad(struct reader *r, const char *key, const char *value, const char *want)
{
	return err_say(r->err, EINVAL, "\"%s\": %s: \"%s\" is not %s", r->text, key, value, want);
}

/* What Go's ParseBool takes, for that is what people's scripts hold. */
static int read_bool(struct reader *r, const char *key, const char *value, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	if (!value) {
		*ret = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*ret = strcmp(value, yes[i]) == 0;
			return 0;
		}
	return bad(r, key, value, "true or false");
}

static int set_type(struct reader *r, const char *key, const char *value)
{
	static const char *const names[] = {
		[BIND] = "bind", [VOLUME] = "volume", [TMPFS] = "tmpfs"
	};

	for (enum kind k = BIND; k <= TMPFS; k++)
		if (strcmp(value, names[k]) == 0) {
			r->kind = k;
			return 0;
		}
	return bad(r, key, value, "one of bind, volume and tmpfs");
}

static int set_source(struct reader *r, const char *key, const char *value)
{
	(void)key;
	r->mount.source = value;
	return 0;
}

static int set_target(struct reader *r, const char *key, const char *value)
{
	(void)key;
	r->mount.target = value;
	return mount_text_target(r->text, (char *)value, r->err);
}

static int set_readonly(struct reader *r, const char *key, const char *value)
{
	return read_bool(r, key, value, &r->mount.readonly);
}

static int set_consistency(struct reader *r, const char *key, const char *value)
{
	if (strcmp(value, "cached") == 0 || strcmp(value, "delegated") == 0 ||
	    strcmp(value, "consistent") == 0 || strcmp(value, "default") == 0)
		return 0;
	return bad(r, key, value, "one of consistent, cached, delegated and default");
}

static int set_propagation(struct reader *r, const char *key, const char *value)
{
	r->mount.propagation = mount_text_propagation(value);
	return r->mount.propagation ? 0 : bad(r, key, value, "one of " MOUNT_TEXT_PROPAGATIONS);
}

static int set_not_recursive(struct reader *r, const char *key, const char *value)
{
	return read_bool(r, key, value, &r->not_recursive);
}

static int set_recursive(struct reader *r, const char *key, const char *value)
{
	static const char *const words[] = { "enabled", "disabled", "writable", "readonly" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(value, words[i]) == 0) {
			r->recursive = words[i];
			return 0;
		}
	return bad(r, key, value, "one of enabled, disabled, writable and readonly");
}

static int set_no_copy(struct reader *r, const char *key, const char *value)
{
	return read_bool(r, key, value, &r->mount.no_copy);
}

static int set_label(struct reader *r, const char *key, const char *value)
{
	if (value[0] == '=' || !value[0])
		return bad(r, key, value, "NAME=VALUE");
	r->labels[r->labels_count++] = value;
	return 0;
}

static int set_driver(struct reader *r, const char *key, const char *value)
{
	return strcmp(value, "local") == 0 ? 0 : bad(r, key, value, "local, which is all there is");
}

static int set_size(struct reader *r, const char *key, const char *value)
{
	int64_t bytes;

	if (quantity_parse_bytes(value, &bytes, NULL) < 0)
		return bad(r, key, value, "a size such as 64m");
	r->size = arena_printf(r->arena, "size=%lld", (long long)bytes);
	return r->size ? 0 : err_set(r->err, ENOMEM, "read %s", key);
}

static int set_mode(struct reader *r, const char *key, const char *value)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (!*value || *value == '-' || *value == '+' || *end || mode > MODE_MAX)
		return bad(r, key, value, "an octal mode such as 1777");
	r->mode = arena_printf(r->arena, "mode=%lo", mode);
	return r->mode ? 0 : err_set(r->err, ENOMEM, "read %s", key);
}

static const struct key {
	const char *name, *same_as;
	enum kind kind;	    /* of the mounts that may have it */
	bool several, bare; /* may be there more than once; may have no value */
	int (*set)(struct reader *r, const char *key, const char *value);
} keys[] = {
	{ "type", NULL, ANY, false, false, set_type },
	{ "source", NULL, ANY, false, false, set_source },
	{ "src", "source", ANY, false, false, set_source },
	{ "target", NULL, ANY, false, false, set_target },
	{ "dst", "target", ANY, false, false, set_target },
	{ "destination", "target", ANY, false, false, set_target },
	{ "readonly", NULL, ANY, false, true, set_readonly },
	{ "ro", "readonly", ANY, false, true, set_readonly },
	{ "consistency", NULL, ANY, false, false, set_consistency },
	{ "bind-propagation", NULL, BIND, false, false, set_propagation },
	{ "bind-nonrecursive", NULL, BIND, false, true, set_not_recursive },
	{ "bind-recursive", NULL, BIND, false, false, set_recursive },
	{ "volume-nocopy", NULL, VOLUME, false, true, set_no_copy },
	{ "volume-label", NULL, VOLUME, true, false, set_label },
	{ "volume-driver", NULL, VOLUME, false, false, set_driver },
	{ "tmpfs-size", NULL, TMPFS, false, false, set_size },
	{ "tmpfs-mode", NULL, TMPFS, false, false, set_mode },
};

/*
 * Takes the next field off the text, with its quotes undone in place; NULL at the end. A field is
 * quoted whole, and "" in it is one quote.
 */
static int next_field(struct reader *r, char **text, char **ret)
{
	char *p = *text, *out;

	*ret = p;
	if (!p)
		return 0;
	if (*p != '"') {
		*text = strchr(p, ',');
		if (*text)
			*(*text)++ = '\0';
		return strchr(p, '"') ? err_say(r->err, EINVAL,
						"\"%s\": a quote stands inside a field; quote the "
						"field whole: \"source=/a,b\"",
						r->text)
				      : 0;
	}
	*ret = out = ++p;
	for (; *p && (*p != '"' || p[1] == '"'); p++) {
		*out++ = *p;
		p += *p == '"';
	}
	if (*p != '"' || (p[1] && p[1] != ','))
		return err_say(r->err, EINVAL,
			       *p ? "\"%s\": behind a closing quote comes a comma or the end"
				  : "\"%s\": a quote is not closed",
			       r->text);
	*text = p[1] ? p + 2 : NULL;
	*out = '\0';
	return 0;
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static const char *first_name(const struct key *key)
{
	return key->same_as ? key->same_as : key->name;
}

/* Sets one field; given[] holds the keys so far. */
static int read_field(struct reader *r, char *field, const struct key **given, size_t *count)
{
	char *value = strchr(field, '=');
	const struct key *key;

	if (value)
		*value++ = '\0';
	key = find_key(field);
	if (!key)
		return err_say(r->err, EINVAL,
			       "\"%s\": there is no key \"%s\"; there are type, source, target, "
			       "readonly, bind-propagation, bind-recursive, volume-nocopy, "
			       "volume-label, tmpfs-size and tmpfs-mode",
			       r->text, field);
	if (!value && !key->bare)
		return err_say(r->err, EINVAL, "\"%s\": %s needs a value: %s=...", r->text, field,
			       field);
	for (size_t i = 0; i < *count; i++)
		if (!key->several && strcmp(first_name(given[i]), first_name(key)) == 0)
			return err_say(r->err, EINVAL, "\"%s\": %s is given twice", r->text,
				       first_name(key));
	given[(*count)++] = key;
	return key->set(r, field, value);
}

static int check_kinds(struct reader *r, const struct key *const *given, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (given[i]->kind != ANY && given[i]->kind != r->kind)
			return err_say(r->err, EINVAL, "\"%s\": %s is for type=%.*s", r->text,
				       given[i]->name, (int)strcspn(given[i]->name, "-"),
				       given[i]->name);
	return 0;
}

static int finish_bind(struct reader *r)
{
	struct engine_mount *m = &r->mount;

	m->type = ENGINE_MOUNT_BIND;
	m->must_exist = true;
	if (!m->source || !*m->source)
		return err_say(r->err, EINVAL,
			       "\"%s\": a bind needs a path of the host: source=/path", r->text);
	if (m->source[0] != '/' && m->source[0] != '.')
		return err_say(r->err, EINVAL,
			       "\"%s\": source: a path on the host begins with / or ./", r->text);
	if (r->not_recursive && r->recursive)
		return err_say(r->err, EINVAL,
			       "\"%s\": bind-nonrecursive and bind-recursive exclude each other",
			       r->text);
	if (r->recursive && strcmp(r->recursive, "readonly") == 0 && !m->readonly)
		return err_say(r->err, EINVAL, "\"%s\": bind-recursive=readonly needs readonly",
			       r->text);
	if (r->not_recursive || (r->recursive && strcmp(r->recursive, "disabled") == 0))
		m->below = ENGINE_BELOW_NOTHING;
	else if (r->recursive && strcmp(r->recursive, "writable") == 0)
		m->below = ENGINE_BELOW_WRITABLE;
	return mount_text_host_path(r->text, m->source, r->arena, &m->source, r->err);
}

static int finish_volume(struct reader *r)
{
	const char **labels = arena_calloc(r->arena, r->labels_count + 1, sizeof(*labels));
	struct engine_mount *m = &r->mount;

	m->type = ENGINE_MOUNT_VOLUME;
	if (!labels)
		return err_set(r->err, ENOMEM, "read labels");
	memcpy(labels, r->labels, r->labels_count * sizeof(*labels));
	m->labels = r->labels_count ? labels : NULL;
	if (m->source && !*m->source)
		m->source = NULL;
	if (m->source && !volume_name_is_valid(m->source))
		return err_say(r->err, EINVAL,
			       "\"%s\": \"%s\" is not the name of a volume; for a path of the host "
			       "add type=bind",
			       r->text, m->source);
	return 0;
}

static int finish_tmpfs(struct reader *r)
{
	struct engine_mount *m = &r->mount;

	m->type = ENGINE_MOUNT_TMPFS;
	if (m->source)
		return err_say(r->err, EINVAL, "\"%s\": a tmpfs has no source", r->text);
	if (r->size && r->mode)
		m->tmpfs_options = arena_printf(r->arena, "%s,%s", r->size, r->mode);
	else
		m->tmpfs_options = r->size ? r->size : r->mode;
	return 0;
}

static int finish(struct reader *r)
{
	if (!r->mount.target)
		return err_say(r->err, EINVAL,
			       "\"%s\": where to in the container? add target=/path", r->text);
	return r->kind == BIND	  ? finish_bind(r)
	       : r->kind == TMPFS ? finish_tmpfs(r)
				  : finish_volume(r);
}

int mount_text_mount(const char *text, struct arena *arena, struct engine_mount *ret,
		     struct err *err)
{
	struct reader r = { .text = text, .arena = arena, .kind = VOLUME, .err = err };
	const struct key *given[FIELDS_MAX];
	char *rest = arena_strdup(arena, text), *field;
	size_t count = 0;

	if (!rest)
		return err_set(err, ENOMEM, "read mount %s", text);
	for (;;) {
		err_try(next_field(&r, &rest, &field));
		if (!field)
			break;
		if (count == FIELDS_MAX)
			return err_say(err, E2BIG, "a mount has more than %d keys", FIELDS_MAX);
		err_try(read_field(&r, field, given, &count));
	}
	err_try(check_kinds(&r, given, count));
	err_try(finish(&r));
	*ret = r.mount;
	return 0;
}
