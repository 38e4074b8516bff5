/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/job/yaml.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

struct yaml {
	struct arena *arena;
	const char *name;
	struct fy_diag *diag;
	struct fy_document *document;
};

struct yaml *yaml_free(struct yaml *doc)
{
	if (!doc)
		return NULL;
	fy_document_destroy(doc->document);
	if (doc->diag)
		fy_diag_destroy(doc->diag);
	arena_free(doc->arena);
	free(doc);
	return NULL;
}

int yaml_fail(const struct yaml_node *node, struct err *err, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_say(err, EINVAL, "%s:%d:%d: %s%s%s", node->doc->name, node->line, node->column,
		       node->path, *node->path ? ": " : "", text);
}

/* What libfyaml found, in one sentence. */
static int fail_parse(const struct yaml *doc, struct err *err)
{
	void *state = NULL;
	const struct fy_diag_error *e = fy_diag_errors_iterate(doc->diag, &state);

	if (!e)
		return err_say(err, EINVAL, "%s: empty; a job file begins with \"job: NAME\"",
			       doc->name);
	return err_say(err, EINVAL, "%s:%d:%d: not YAML: %s", doc->name, e->line, e->column,
		       e->msg);
}

static const char *scalar(struct fy_node *node, size_t *ret_len)
{
	return node && fy_node_is_scalar(node) && !fy_node_is_alias(node)
		       ? fy_node_get_scalar(node, ret_len)
		       : NULL;
}

/* Where a node stands; a mapping has no place of its own but that of what is in it. */
static void locate(struct fy_node *node, struct yaml_node *ret)
{
	const struct fy_mark *mark = NULL;
	struct fy_token *token = NULL;
	void *state = NULL;

	for (int depth = 0; node && depth < DEPTH_MAX && !token; depth++) {
		state = NULL;
		if (fy_node_is_scalar(node))
			token = fy_node_get_scalar_token(node);
		else if (fy_node_is_sequence(node))
			node = fy_node_sequence_iterate(node, &state);
		else
			node = fy_node_pair_key(fy_node_mapping_iterate(node, &state));
	}
	if (token)
		mark = fy_token_start_mark(token);
	if (mark) {
		ret->line = mark->line + 1;
		ret->column = mark->column + 1;
	}
}

/* Aliases, tags and depth: the parts of YAML that nobody is to be surprised by. */
static int check(const struct yaml *doc, struct fy_node *node, int depth, struct err *err)
{
	struct yaml_node at = { .doc = doc, .node = node, .path = "", .line = 1, .column = 1 };
	struct fy_node_pair *pair;
	struct fy_node *child;
	void *state = NULL;
	size_t len;

	if (!node)
		return 0;
	locate(node, &at);
	if (fy_node_is_alias(node))
		return yaml_fail(&at, err, "aliases (*name) are not taken; write it out");
	if (fy_node_get_tag(node, &len))
		return yaml_fail(&at, err, "tags (!name) are not taken");
	if (depth > DEPTH_MAX)
		return yaml_fail(&at, err, "nested more than %d deep", DEPTH_MAX);
	if (fy_node_is_sequence(node)) {
		while ((child = fy_node_sequence_iterate(node, &state)))
			err_try(check(doc, child, depth + 1, err));
	} else if (fy_node_is_mapping(node)) {
		while ((pair = fy_node_mapping_iterate(node, &state))) {
			err_try(check(doc, fy_node_pair_key(pair), depth + 1, err));
			err_try(check(doc, fy_node_pair_value(pair), depth + 1, err));
		}
	}
	return 0;
}

/* Is there a '?' at c that begins a key, and not just a word? */
static bool is_explicit_key(const char *text, const char *c)
{
	if (c[1] && !strchr(" \t\r\n", c[1]))
		return false;
	while (c > text && strchr(" \t", c[-1]))
		c--;
	return c == text || strchr("\n-?:,[{", c[-1]);
}

/* Bytes of the character at c, 0 where there is none: UTF-8, and neither a control character (but
 * tab and newline) nor a line end of other scripts, on which parsers differ. */
static size_t character(const char *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *u = (const uint8_t *)c;
	size_t len = *u < 0x80 ? 1 : *u >> 5 == 6 ? 2 : *u >> 4 == 14 ? 3 : *u >> 3 == 30 ? 4 : 0;
	uint32_t code = len > 1 ? *u & (0x7fu >> len) : *u;

	if (len < 2)
		return len &&
		       (code >= ' ' || code == '\t' || code == '\n' ||
			(code == '\r' && u[1] == '\n')) &&
		       code != 0x7f;
	for (size_t i = 1; i < len; i++) {
		if (u[i] >> 6 != 2)
			return 0;
		code = code << 6 | (u[i] & 0x3f);
	}
	return code >= least[len] && code >= 0xa0 && code <= 0x10ffff && code >> 11 != 0x1b &&
			       code != 0x2028 && code != 0x2029
		       ? len
		       : 0;
}

/*
 * Nothing here needs %YAML, %TAG or keys of more than a word ("? key"). libfyaml 0.7 never comes
 * back from a '%' inside a list, and ends in a fault where a tab follows such a key.
 */
static int refuse_what_hurts(const char *name, const char *text, struct err *err)
{
	int line = 1;

	for (const char *c = text; *c; c++) {
		size_t len = character(c);

		if (!len)
			return err_say(err, EINVAL,
				       "%s:%d: byte 0x%02x is no text (UTF-8, without "
				       "control characters)",
				       name, line, (unsigned char)*c);
		c += len - 1;
		if (*c == '%' && (c == text || c[-1] == '\n'))
			return err_say(err, EINVAL, "%s:%d:1: directives (%%) are not taken", name,
				       line);
		if (*c == '?' && is_explicit_key(text, c))
			return err_say(err, EINVAL,
				       "%s:%d: a key is a word; \"? \" for others is not taken",
				       name, line);
		line += *c == '\n';
	}
	return 0;
}

static int load(struct yaml *doc, const char *name, const char *text, size_t len, struct err *err)
{
	struct fy_diag_cfg diag = { .level = FYET_ERROR, .module_mask = ~0u };
	struct fy_parse_cfg cfg = { .flags = FYPCF_COLLECT_DIAG };
	char *copy;

	doc->arena = arena_new();
	doc->diag = fy_diag_create(&diag);
	doc->name = doc->arena ? arena_strdup(doc->arena, name) : NULL;
	copy = doc->name ? arena_strndup(doc->arena, text, len) : NULL;
	if (!copy || !doc->diag)
		return err_set(err, ENOMEM, "read %s", name);
	/* A NUL would end libfyaml's text silently. */
	if (memchr(text, '\0', len))
		return err_say(err, EINVAL, "%s: holds a NUL byte, so it is no text", name);
	err_try(refuse_what_hurts(name, copy, err));
	fy_diag_set_collect_errors(doc->diag, true);
	cfg.diag = doc->diag;
	doc->document = fy_document_build_from_string(&cfg, copy, len);
	if (!doc->document || !fy_document_root(doc->document))
		return fail_parse(doc, err);
	return check(doc, fy_document_root(doc->document), 0, err);
}

int yaml_parse(const char *name, const char *text, size_t len, struct yaml **ret, struct err *err)
{
	_cleanup_yaml_ struct yaml *doc = calloc(1, sizeof(*doc));

	if (!doc)
		return err_set(err, ENOMEM, "read %s", name);
	err_try(load(doc, name, text, len, err));
	*ret = take_ptr(doc);
	return 0;
}

struct yaml_node yaml_root(const struct yaml *doc)
{
	struct yaml_node root = { .doc = doc,
				  .node = fy_document_root(doc->document),
				  .path = "",
				  .line = 1,
				  .column = 1 };

	locate(root.node, &root);
	return root;
}

static const char *join(const struct yaml_node *parent, const char *key)
{
	return arena_printf(parent->doc->arena, "%s%s%s", parent->path, *parent->path ? "." : "",
			    key);
}

static int next_member(const struct yaml_node *parent, void **state, const char **ret_key,
		       struct yaml_node *ret, struct err *err)
{
	struct fy_node_pair *pair = fy_node_mapping_iterate(parent->node, state);
	const char *text;
	size_t len;

	if (!pair)
		return 0;
	*ret = *parent;
	locate(fy_node_pair_key(pair), ret);
	text = scalar(fy_node_pair_key(pair), &len);
	if (!text)
		return yaml_fail(ret, err, "a key has to be a word");
	ret->node = fy_node_pair_value(pair);
	*ret_key = arena_strndup(parent->doc->arena, text, len);
	ret->path = *ret_key ? join(parent, *ret_key) : NULL;
	return ret->path ? 1 : err_set(err, ENOMEM, "read %s", parent->doc->name);
}

int yaml_next(const struct yaml_node *parent, void **state, const char **ret_key,
	      struct yaml_node *ret, struct err *err)
{
	struct fy_node *child;

	if (fy_node_is_mapping(parent->node))
		return next_member(parent, state, ret_key, ret, err);
	child = fy_node_sequence_iterate(parent->node, state);
	if (!child)
		return 0;
	*ret = *parent;
	ret->node = child;
	locate(child, ret);
	*ret_key = NULL;
	return 1;
}

bool yaml_is_mapping(const struct yaml_node *node)
{
	return node->node && fy_node_is_mapping(node->node);
}

bool yaml_is_sequence(const struct yaml_node *node)
{
	return node->node && fy_node_is_sequence(node->node);
}

bool yaml_is_quoted(const struct yaml_node *node)
{
	return node->node && fy_node_get_style(node->node) != FYNS_PLAIN;
}

const char *yaml_text(const struct yaml_node *node)
{
	size_t len;
	const char *text = scalar(node->node, &len);

	if (!text)
		return NULL;
	text = arena_strndup(node->doc->arena, text, len);
	if (text && !yaml_is_quoted(node) &&
	    (!*text || strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
		return NULL;
	return text;
}
