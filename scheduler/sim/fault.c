/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define SCRIPT_MAX (64 << 20)
#define SECONDS_MAX ((long long)1 << 40)

static int parse_state(const char *word)
{
	static const char *const names[] = { [MACHINE_UP] = "up",
					     [MACHINE_CORDONED] = "cordon",
					     [MACHINE_DRAINING] = "drain",
					     [MACHINE_DOWN] = "down" };

	for (int s = 0; s < (int)ARRAY_SIZE(names); s++)
		if (strcmp(names[s], word) == 0)
			return s;
	return -1;
}

struct place {
	const char *file;
	size_t line;
	const char *start; /* of the line */
};

static int bad(const struct place *at, const char *word, const char *what, struct err *err)
{
	return err_say(err, EINVAL, "%s:%zu:%zu: '%.40s' is no %s", at->file, at->line,
		       (size_t)(word - at->start) + 1, word, what);
}

/* Cuts the line into words: 1, or 0 where it holds nothing. */
static int parse_line(char *line, const struct place *at, struct fault *ret, struct err *err)
{
	char *word[4], *save = NULL, *end, *next = strtok_r(line, " \t\r", &save);
	long long seconds;
	int state;

	if (!next || *next == '#')
		return 0;
	for (int i = 0; i < 4; i++, next = strtok_r(NULL, " \t\r", &save)) {
		if (!next)
			return err_say(err, EINVAL,
				       "%s:%zu:1: four words make a fault: SECONDS machine|rack "
				       "NAME down|up|drain|cordon",
				       at->file, at->line);
		word[i] = next;
	}
	if (next)
		return bad(at, next, "part of a fault: four words are", err);
	errno = 0;
	seconds = strtoll(word[0], &end, 10);
	if (*end || errno || seconds < 0 || seconds > SECONDS_MAX)
		return bad(at, word[0], "number of seconds", err);
	if (strcmp(word[1], "rack") != 0 && strcmp(word[1], "machine") != 0)
		return bad(at, word[1], "machine or rack", err);
	state = parse_state(word[3]);
	if (state < 0)
		return bad(at, word[3], "state: down, up, drain or cordon", err);
	*ret = (struct fault){ .at_ms = seconds * 1000,
			       .rack = word[1][0] == 'r',
			       .name = word[2],
			       .line = at->line,
			       .column = (size_t)(word[2] - at->start) + 1,
			       .state = (enum machine_state)state };
	return 1;
}

/* Keeps those of one time as they were written. */
static void insert(struct fault_script *script, const struct fault *fault)
{
	size_t at = script->count++;

	for (; at && script->faults[at - 1].at_ms > fault->at_ms; at--)
		script->faults[at] = script->faults[at - 1];
	script->faults[at] = *fault;
}

int fault_parse(const char *file, char *text, struct fault_script *ret, struct err *err)
{
	struct place at = { .file = file };
	size_t lines = 1;
	char *save = NULL;
	int r;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	*ret = (struct fault_script){ .faults = calloc(lines, sizeof(*ret->faults)), .file = file };
	if (!ret->faults)
		return err_set(err, ENOMEM, "read %s", file);
	for (char *line = text; line; line = save) {
		struct fault fault;

		save = strchr(line, '\n');
		if (save)
			*save++ = '\0';
		at.line++;
		at.start = line;
		r = parse_line(line, &at, &fault, err);
		if (r < 0) {
			free(ret->faults);
			*ret = (struct fault_script){ 0 };
			return r;
		}
		if (r > 0)
			insert(ret, &fault);
	}
	return 0;
}

int fault_read(const char *path, struct fault_script *ret, struct err *err)
{
	char *text;
	int r = file_read(AT_FDCWD, path, SCRIPT_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	r = fault_parse(path, text, ret, err);
	if (r < 0)
		free(text);
	else
		ret->text = text;
	return r;
}

void fault_deinit(struct fault_script *script)
{
	free(script->faults);
	free(script->text);
	*script = (struct fault_script){ 0 };
}

static bool is_meant(const struct fault *f, const struct machine_view *view)
{
	return strcmp(f->rack ? view->rack : view->name, f->name) == 0;
}

int fault_check(const struct fault_script *script, const struct cell *cell, struct err *err)
{
	for (size_t i = 0; i < script->count; i++) {
		const struct fault *f = &script->faults[i];
		struct machine_view view;
		uint32_t m = 0;

		while (cell_machine(cell, m, &view) == 0 && !is_meant(f, &view))
			m++;
		if (cell_machine(cell, m, &view) < 0)
			return err_say(err, ENOENT, "%s:%zu:%zu: there is no %s '%.40s'",
				       script->file, f->line, f->column,
				       f->rack ? "rack" : "machine", f->name);
	}
	return 0;
}

size_t fault_apply(const struct fault_script *script, size_t *at, struct cell *cell, int64_t now_ms)
{
	size_t changed = 0;

	for (; *at < script->count && script->faults[*at].at_ms <= now_ms; ++*at) {
		const struct fault *f = &script->faults[*at];
		struct machine_view view;

		for (uint32_t m = 0; cell_machine(cell, m, &view) == 0; m++)
			if (is_meant(f, &view)) {
				cell_set_machine(cell, m, f->state);
				changed++;
			}
	}
	return changed;
}
