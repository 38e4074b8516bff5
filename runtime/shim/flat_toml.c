/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/flat_toml.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

struct reader {
	const char *at, *end;
	unsigned line;
	struct strbuf key, text;
	struct err *err;
};

static void reader_deinit(struct reader *r)
{
	strbuf_deinit(&r->key);
	strbuf_deinit(&r->text);
}

static void clear(struct strbuf *s)
{
	s->len = 0;
	strbuf_adds(s, "");
}

static int wrong(const struct reader *r, const char *what)
{
	return err_say(r->err, EINVAL, "line %u: %s", r->line, what);
}

static char peek(const struct reader *r)
{
	return r->at < r->end ? *r->at : '\n';
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		r->at++;
}

/* Blanks and a comment up to the end of the line. */
static int end_line(struct reader *r)
{
	skip_blanks(r);
	if (peek(r) == '#')
		while (peek(r) != '\n')
			r->at++;
	if (peek(r) == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
		r->at++;
	if (peek(r) != '\n')
		return wrong(r, "something follows the value");
	if (r->at < r->end)
		r->at++;
	r->line++;
	return 0;
}

/* ---- strings ---- */

static void add_utf8(struct strbuf *out, uint32_t code)
{
	char bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len; i-- > 0; code >>= 6)
		bytes[i] = (char)(i ? 0x80 | (code & 0x3f) : marks[len] | code);
	strbuf_add(out, bytes, len);
}

static int add_code(struct reader *r, int digits)
{
	uint32_t code = 0;

	for (; digits > 0; digits--, r->at++) {
		char c = (char)tolower((unsigned char)peek(r));

		if (!isxdigit((unsigned char)c))
			return wrong(r, "an escape in a string is not whole");
		code = code << 4 | (uint32_t)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
	}
	if (!code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return wrong(r, "an escape in a string stands for no character");
	add_utf8(&r->text, code);
	return 0;
}

static int add_escape(struct reader *r)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char c = peek(r);
	const char *found = c == '\n' ? NULL : strchr(names, c);

	if (!c || (c != 'u' && c != 'U' && !found))
		return wrong(r, "an escape in a string is not known");
	r->at++;
	if (c == 'u' || c == 'U')
		return add_code(r, c == 'u' ? 4 : 8);
	strbuf_add(&r->text, &values[found - names], 1);
	return 0;
}

/* From its quote on, into r->text. */
static int read_string(struct reader *r)
{
	char quote = *r->at++, c;

	clear(&r->text);
	while ((c = peek(r)) != quote) {
		int e = 0;

		if (c == '\n' || !c)
			return wrong(r, "a string does not end");
		r->at++;
		if (c == '\\' && quote == '"')
			e = add_escape(r);
		else
			strbuf_add(&r->text, &c, 1);
		if (e < 0)
			return e;
	}
	r->at++;
	if (!r->text.len && peek(r) == quote)
		return wrong(r, "strings of several lines are not known here");
	return strbuf_ok(&r->text) ? 0 : err_set(r->err, ENOMEM, "read options");
}

/* ---- keys and values ---- */

static bool is_bare(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static int read_key(struct reader *r)
{
	clear(&r->key);
	if (peek(r) == '"' || peek(r) == '\'') {
		int e = read_string(r);

		if (e < 0)
			return e;
		strbuf_adds(&r->key, r->text.data ? r->text.data : "");
	}
	for (; is_bare(peek(r)); r->at++)
		strbuf_add(&r->key, r->at, 1);
	if (!strbuf_ok(&r->key))
		return err_set(r->err, ENOMEM, "read options");
	if (!r->key.len)
		return wrong(r, peek(r) == '[' ? "tables are not known here"
					       : "a key = value is needed");
	skip_blanks(r);
	if (peek(r) != '=')
		return wrong(r, "a '=' is needed behind the key");
	r->at++;
	skip_blanks(r);
	return 0;
}

static int read_number(struct reader *r, struct toml_value *ret)
{
	char digits[32], *end;
	size_t len = 0;

	for (; is_bare(peek(r)) || peek(r) == '+'; r->at++)
		if (peek(r) != '_' && len < sizeof(digits) - 1)
			digits[len++] = *r->at;
	digits[len] = '\0';
	errno = 0;
	ret->number = strtoll(digits, &end, strncmp(digits, "0x", 2) ? 10 : 16);
	ret->type = TOML_NUMBER;
	return !len || *end || errno || len == sizeof(digits) - 1
		       ? wrong(r, "this is no true or false, no number and no \"string\"")
		       : 0;
}

static bool take_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0 ||
	    (r->at + len < r->end && is_bare(r->at[len])))
		return false;
	r->at += len;
	return true;
}

static int read_value(struct reader *r, struct toml_value *ret)
{
	int e = 0;

	*ret = (struct toml_value){ .type = TOML_BOOLEAN };
	if (peek(r) == '"' || peek(r) == '\'') {
		e = read_string(r);
		ret->type = TOML_STRING;
		ret->string = r->text.data ? r->text.data : "";
	} else if (take_word(r, "true")) {
		ret->boolean = true;
	} else if (!take_word(r, "false")) {
		e = read_number(r, ret);
	}
	return e;
}

static int read_line(struct reader *r, toml_fn fn, void *data)
{
	struct toml_value value;
	int e;

	skip_blanks(r);
	if (peek(r) == '#' || peek(r) == '\n' || peek(r) == '\r')
		return end_line(r);
	e = read_key(r);
	if (e == 0)
		e = read_value(r, &value);
	if (e == 0) {
		e = fn(data, r->key.data, &value, r->err);
		if (e < 0)
			return err_add(r->err, "line %u", r->line);
	}
	return e < 0 ? e : end_line(r);
}

int toml_each(const char *text, size_t len, toml_fn fn, void *data, struct err *err)
{
	_cleanup_(reader_deinit) struct reader r = {
		.at = text, .end = text + len, .line = 1, .err = err
	};
	int e = 0;

	while (e == 0 && r.at < r.end)
		e = read_line(&r, fn, data);
	return e;
}
