/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations that set a property of the unit. Their values are GVariant text, of which this is the
 * part that properties of systemd need: a word for the type or none, then a literal.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroups/systemd_list.h"

#define PREFIX "org.systemd.property."

static const struct {
	const char *word, *type;
} types[] = {
	{ "boolean", "b" }, { "byte", "y" },   { "int16", "n" },      { "uint16", "q" },
	{ "int32", "i" },   { "uint32", "u" }, { "int64", "x" },      { "uint64", "t" },
	{ "double", "d" },  { "string", "s" }, { "objectpath", "o" }, { "@as", "as" },
	{ "@ay", "ay" },
};

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

/* "uint64 " in front of a value; NULL and nothing eaten when there is none. */
static const char *eat_type(const char **at)
{
	size_t len = strcspn(*at, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(types) && (*at)[len]; i++) {
		if (strlen(types[i].word) != len || strncmp(*at, types[i].word, len) != 0)
			continue;
		*at += len;
		skip_blanks(at);
		return types[i].type;
	}
	return NULL;
}

/* 'text' or "text" with \ before what is meant as it is. -EINVAL, -ENOMEM. */
static int eat_string(const char **at, struct arena *arena, const char **ret)
{
	char quote = **at, *copy;
	size_t len = 0;

	if (quote != '\'' && quote != '"')
		return -EINVAL;
	copy = arena_alloc(arena, strlen(*at) + 1);
	if (!copy)
		return -ENOMEM;
	for ((*at)++; **at && **at != quote; (*at)++) {
		if (**at == '\\' && (*at)[1])
			(*at)++;
		copy[len++] = **at;
	}
	if (!**at)
		return -EINVAL;
	(*at)++;
	copy[len] = '\0';
	*ret = copy;
	return 0;
}

/* A number as it stands, checked for its form. Returns its type when none is given, or NULL. */
static const char *eat_number(const char **at, struct arena *arena, const char **ret)
{
	size_t len = strspn(*at, "+-0123456789.eExXabcdefABCDEF");
	char *copy = arena_strndup(arena, *at, len), *end;
	bool real;

	if (!copy || len == 0)
		return NULL;
	real = strncmp(copy, "0x", 2) != 0 && strpbrk(copy, ".eE");
	errno = 0;
	if (real)
		strtod(copy, &end);
	else if (copy[0] == '-')
		strtoll(copy, &end, 0);
	else
		strtoull(copy, &end, 0);
	if (errno || end == copy || *end)
		return NULL;
	*at += len;
	*ret = copy;
	return real ? "d" : "i";
}

static const char *eat_literal(const char **at, struct arena *arena, const char **ret)
{
	for (int truth = 0; truth < 2; truth++) {
		const char *word = truth ? "true" : "false";

		if (strncmp(*at, word, strlen(word)) == 0 && !isalnum((*at)[strlen(word)])) {
			*at += strlen(word);
			*ret = word;
			return "b";
		}
	}
	if (**at == '\'' || **at == '"')
		return eat_string(at, arena, ret) < 0 ? NULL : "s";
	return eat_number(at, arena, ret);
}

static int eat_array(const char **at, struct arena *arena, const char *type,
		     struct systemd_property *p)
{
	const char **values = arena_calloc(arena, strlen(*at), sizeof(*values));

	if (!values)
		return -ENOMEM;
	p->values = values;
	(*at)++;
	for (skip_blanks(at); **at != ']'; skip_blanks(at)) {
		const char *one = eat_literal(at, arena, &values[p->count]);

		if (!one || (type ? strcmp(one, "i") == 0 && strcmp(type, "ay") != 0
				  : strcmp(one, "s") != 0))
			return -EINVAL;
		p->count++;
		skip_blanks(at);
		if (**at == ',')
			(*at)++;
		else if (**at != ']')
			return -EINVAL;
	}
	(*at)++;
	p->type = type ? type : "as";
	return 0;
}

static int parse_value(const char *text, struct arena *arena, struct systemd_property *p)
{
	const char *at = text, *type, *literal, **values = arena_calloc(arena, 1, sizeof(*values));
	int r = 0;

	if (!values)
		return -ENOMEM;
	skip_blanks(&at);
	type = eat_type(&at);
	if (*at == '[') {
		if (type && type[0] != 'a')
			return -EINVAL;
		r = eat_array(&at, arena, type, p);
	} else {
		literal = eat_literal(&at, arena, &values[0]);
		if (!literal || (type && type[0] == 'a'))
			return -EINVAL;
		/* A type does not make a number of a text. */
		if (type && (strchr("so", *type) != NULL) != (*literal == 's'))
			return -EINVAL;
		if (type && (*type == 'b') != (*literal == 'b'))
			return -EINVAL;
		p->values = values;
		p->count = 1;
		p->type = type ? type : literal;
	}
	skip_blanks(&at);
	return r < 0 ? r : *at ? -EINVAL : 0;
}

/* systemd's files have "Sec", its bus has only "USec". */
static int make_microseconds(struct systemd_property *p, struct arena *arena)
{
	size_t len = strlen(p->name);
	double seconds;

	if (len <= 3 || strcmp(p->name + len - 3, "Sec") != 0 ||
	    (len > 4 && p->name[len - 4] == 'U') || !strchr("ynqiuxtd", p->type[0]))
		return 0;
	seconds = strtod(p->values[0], NULL);
	if (seconds < 0 || seconds > 1e12)
		return -EINVAL;
	p->name = arena_printf(arena, "%.*sUSec", (int)len - 3, p->name);
	p->type = "t";
	((const char **)(uintptr_t)p->values)[0] =
		arena_printf(arena, "%" PRIu64, (uint64_t)(seconds * 1e6));
	return p->name && p->values[0] ? 0 : -ENOMEM;
}

static int add_annotation(const struct oci_annotation *a, struct systemd_properties *list,
			  struct err *err)
{
	struct systemd_property p = { .name = a->key + strlen(PREFIX) };
	int r = -EINVAL;

	for (const char *c = p.name; *c; c++)
		if (!isalpha((unsigned char)*c))
			return err_say(err, EINVAL,
				       "annotations[\"%s\"]: '%s' is no property of systemd's",
				       a->key, p.name);
	if (*p.name)
		r = parse_value(a->value, list->arena, &p);
	if (r == 0)
		r = make_microseconds(&p, list->arena);
	if (r == -ENOMEM)
		return err_set(err, ENOMEM, "annotations[\"%s\"]", a->key);
	if (r < 0)
		return err_say(err, EINVAL,
			       "annotations[\"%s\"]: '%s' is not a value such as true, 5, uint64 "
			       "5, 'text' or ['a', 'b']",
			       a->key, a->value);
	return systemd_list_add(list, p.name, p.type, p.values, p.count, err);
}

int systemd_properties_of_annotations(const struct oci_annotation *annotations, size_t count,
				      struct systemd_properties *list, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(annotations[i].key, PREFIX, strlen(PREFIX)) == 0)
			err_try(add_annotation(&annotations[i], list, err));
	return 0;
}
