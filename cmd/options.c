/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 32
#define HELP_WIDTH 80

/* One parse: where it is, and where things go. */
struct parser {
	const struct options_command *command;
	char **argv;
	int argc, at;
	void *target;
	struct err *err;
};

static bool is_end(const struct option_entry *e)
{
	return !e->name && !e->letter && e->kind != OPTION_KIND_GROUP;
}

/* An option found, and the struct that it fills. */
struct found {
	const struct option_entry *entry; /* NULL: none */
	char *target;
};

static bool has_name(const struct option_entry *e, const char *name, size_t len)
{
	return e->name && strlen(e->name) == len && memcmp(e->name, name, len) == 0;
}

/* By name, or by letter when name is NULL. */
static struct found find(const struct option_entry *e, char *target, const char *name, size_t len,
			 char letter)
{
	for (; e && !is_end(e); e++) {
		struct found in_group;

		if (e->kind == OPTION_KIND_GROUP) {
			in_group = find(e->group, target + e->offset, name, len, letter);
			if (in_group.entry)
				return in_group;
		} else if (name ? has_name(e, name, len) : e->letter == letter) {
			return (struct found){ e, target };
		}
	}
	return (struct found){ 0 };
}

static int list_append(struct options_list *list, const char *value)
{
	const char **items = realloc(list->items, (list->count + 2) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	items[list->count++] = value;
	items[list->count] = NULL;
	list->items = items;
	return 0;
}

void options_list_deinit(struct options_list *list)
{
	free(list->items);
	*list = (struct options_list){ 0 };
}

void options_deinit(const struct option_entry *e, void *target)
{
	for (; !is_end(e); e++) {
		void *field = (char *)target + e->offset;

		if (e->kind == OPTION_KIND_GROUP)
			options_deinit(e->group, field);
		else if (e->kind == OPTION_KIND_LIST)
			options_list_deinit(field);
	}
}

/* ---- values ---- */

static int parse_bool(const char *text, bool *ret)
{
	if (!text || strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
		*ret = true;
	else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
		*ret = false;
	else
		return -EINVAL;
	return 0;
}

static int parse_int(const char *text, const struct option_entry *e, int64_t *ret)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < e->min || n > e->max)
		return -EINVAL;
	*ret = n;
	return 0;
}

/* shown is the option as the person wrote it, for the sentence. */
static int store(struct parser *p, struct found option, const char *value, const char *shown)
{
	const struct option_entry *e = option.entry;
	void *field = option.target + e->offset;

	switch (e->kind) {
	case OPTION_KIND_BOOL:
		if (parse_bool(value, field) < 0)
			return err_say(p->err, EINVAL, "%s takes true or false, not '%s'", shown,
				       value);
		return 0;
	case OPTION_KIND_STRING:
		*(const char **)field = value;
		return 0;
	case OPTION_KIND_INT:
		if (parse_int(value, e, field) < 0)
			return err_say(p->err, EINVAL,
				       "%s: '%s' is not a whole number from %" PRId64
				       " to %" PRId64,
				       shown, value, e->min, e->max);
		return 0;
	case OPTION_KIND_LIST:
		if (list_append(field, value) < 0)
			return err_set(p->err, ENOMEM, "%s", shown);
		return 0;
	case OPTION_KIND_GROUP: /* has no name to be found by */
		break;
	}
	return -EINVAL;
}

/* ---- words ---- */

/* NULL: none. */
static const char *find_hint(const struct option_hint *h, const char *name, size_t len)
{
	for (; h && h->name; h++) {
		size_t own = strlen(h->name);
		bool begins = own > 1 && h->name[own - 1] == '-';

		if ((begins ? len > own : len == own) && memcmp(h->name, name, own) == 0)
			return h->hint;
	}
	return NULL;
}

static int unknown(struct parser *p, const char *dashes, const char *name, size_t len)
{
	const char *hint = find_hint(p->command->hints, name, len);

	if (hint)
		return err_say(p->err, EINVAL, "there is no %s%.*s: %s", dashes, (int)len, name,
			       hint);
	return err_say(p->err, EINVAL, "unknown option %s%.*s; '%s --help' lists the options",
		       dashes, (int)len, name, p->command->name);
}

/* value: what followed "=", or NULL; then an option with a value takes the next word. */
static int take_named(struct parser *p, struct found option, const char *value, const char *dashes)
{
	const struct option_entry *e = option.entry;
	char letter[2] = { e->letter, '\0' }, shown[64];

	snprintf(shown, sizeof(shown), "%s%s", dashes, e->name && dashes[1] ? e->name : letter);
	if (!value && e->kind != OPTION_KIND_BOOL) {
		if (p->at >= p->argc)
			return err_say(p->err, EINVAL, "%s needs a value", shown);
		value = p->argv[p->at++];
	}
	return store(p, option, value, shown);
}

/* "-x", "-xvalue", "-x=value", "-abc" */
static int take_letters(struct parser *p, const char *letters)
{
	for (const char *c = letters; *c; c++) {
		struct found option = find(p->command->options, p->target, NULL, 0, *c);
		const char *value = NULL;
		bool last;
		int r;

		if (!option.entry && *c == 'h')
			return 1;
		if (!option.entry)
			return unknown(p, "-", c, 1);
		last = c[1] == '=' || (option.entry->kind != OPTION_KIND_BOOL && c[1]);
		if (last)
			value = c + 1 + (c[1] == '=');
		r = take_named(p, option, value, "-");
		if (r != 0 || last)
			return r;
	}
	return 0;
}

static int take_word(struct parser *p, const char *word)
{
	bool two = word[1] == '-';
	const char *name = word + 1 + two, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	struct found option = { 0 };

	if (two || (len > 1 && (p->command->flags & OPTIONS_SINGLE_DASH)))
		option = find(p->command->options, p->target, name, len, 0);
	/* Go's flag package also takes two dashes before a letter. */
	if (!option.entry && two && len == 1)
		option = find(p->command->options, p->target, NULL, 0, *name);
	if (option.entry)
		return take_named(p, option, equals ? equals + 1 : NULL, "--");
	if (len == 4 && memcmp(name, "help", 4) == 0)
		return 1;
	if (two)
		return unknown(p, "--", name, len);
	return take_letters(p, name);
}

static int check_count(const struct parser *p, size_t count)
{
	const struct options_command *c = p->command;

	if (count < c->args_min)
		return err_say(p->err, EINVAL,
			       "too few arguments: '%s%s%s' needs at least %zu, see '%s --help'",
			       c->name, c->args ? " " : "", c->args ? c->args : "", c->args_min,
			       c->name);
	if (count > c->args_max)
		return err_say(p->err, EINVAL, "'%s' is one argument too many for '%s%s%s'",
			       p->argv[c->args_max], c->name, c->args ? " " : "",
			       c->args ? c->args : "");
	return 0;
}

int options_parse(const struct options_command *command, int argc, char **argv, void *target,
		  char ***ret_args, size_t *ret_count, struct err *err)
{
	struct parser p = {
		.command = command, .argv = argv, .argc = argc, .target = target, .err = err
	};
	size_t count = 0;
	bool options = true;
	int r;

	while (p.at < argc) {
		char *word = argv[p.at++];

		if (!options || word[0] != '-' || !word[1]) {
			argv[count++] = word;
			options = options && !(command->flags & OPTIONS_STOP_AT_ARG);
			continue;
		}
		if (strcmp(word, "--") == 0) {
			options = false;
			continue;
		}
		r = take_word(&p, word);
		if (r != 0)
			return r;
	}
	r = check_count(&p, count);
	if (r < 0)
		return r;
	argv[count] = NULL;
	*ret_args = argv;
	*ret_count = count;
	return 0;
}

/* ---- help ---- */

/* From HELP_COLUMN on, with line ends between words so that a terminal of HELP_WIDTH has room. */
static void help_text(const char *text, FILE *out)
{
	while (strlen(text) > HELP_WIDTH - HELP_COLUMN) {
		size_t len = HELP_WIDTH - HELP_COLUMN;

		while (len > 0 && text[len] != ' ')
			len--;
		if (!len)
			break;
		fprintf(out, "%.*s\n%*s", (int)len, text, HELP_COLUMN, "");
		text += len + 1;
	}
	fprintf(out, "%s\n", text);
}

static void help_entry(const struct option_entry *e, FILE *out)
{
	char left[128];
	size_t len;

	if (e->letter && e->name)
		len = (size_t)snprintf(left, sizeof(left), "  -%c, --%s", e->letter, e->name);
	else if (e->name)
		len = (size_t)snprintf(left, sizeof(left), "      --%s", e->name);
	else
		len = (size_t)snprintf(left, sizeof(left), "  -%c", e->letter);
	if (e->value)
		len += (size_t)snprintf(left + len, sizeof(left) - len, " %s", e->value);
	if (len + 2 > HELP_COLUMN)
		fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
	else
		fprintf(out, "%-*s", HELP_COLUMN, left);
	help_text(e->help, out);
}

static void help_entries(const struct option_entry *e, FILE *out)
{
	for (; e && !is_end(e); e++)
		if (e->help && e->kind != OPTION_KIND_GROUP)
			help_entry(e, out);
}

/* What belongs to no group first, then the groups. */
void options_help_table(const struct option_entry *entries, FILE *out)
{
	help_entries(entries, out);
	fprintf(out, "%-*s%s\n", HELP_COLUMN,
		find(entries, NULL, NULL, 0, 'h').entry ? "      --help" : "  -h, --help",
		"show this help");
	for (const struct option_entry *e = entries; e && !is_end(e); e++)
		if (e->kind == OPTION_KIND_GROUP) {
			fprintf(out, "\n%s:\n", e->help);
			help_entries(e->group, out);
		}
}

void options_help(const struct options_command *command, FILE *out)
{
	fprintf(out, "%s - %s\n\nUsage: %s [OPTIONS]%s%s\n", command->name, command->summary,
		command->name, command->args ? " " : "", command->args ? command->args : "");
	if (command->details)
		fprintf(out, "\n%s\n", command->details);
	fputs("\nOptions:\n", out);
	options_help_table(command->options, out);
}
