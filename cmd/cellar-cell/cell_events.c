/* SPDX-License-Identifier: Apache-2.0 */
/* ctr cell events: what has happened, a line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/tame.h"
#include "cmd/cellar-cell/verbs.h"

struct events_args {
	struct verb_args common;
	bool follow;
	const char *since;
};

struct printing {
	const struct ask *ask;
	struct strbuf line; /* what has come of one yet */
};

/* "2026-11-23 02:30:57  task-running  web/0 on m1: ..." */
static void print_event(const struct printing *p, const char *text, size_t len)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct ask ask = *p->ask;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	char *what;

	/* One of many: what it needs goes with it. */
	ask.arena = arena;
	if (!arena || json_parse(text, len, &doc, NULL) < 0)
		return;
	root = json_root(doc);
	what = arena_printf(arena, "%s", cell_text(&ask, &root, "job"));
	if (what && json_has(&root, "task"))
		what = arena_printf(arena, "%s/%" PRId64, what, cell_number(&root, "task"));
	if (what && json_has(&root, "machine"))
		what = arena_printf(arena, "%s%s%s", what, *what ? " on " : "",
				    cell_text(&ask, &root, "machine"));
	if (what && json_has(&root, "who"))
		what = arena_printf(arena, "%s by %s", what, cell_text(&ask, &root, "who"));
	if (what && json_has(&root, "text"))
		what = arena_printf(arena, "%s%s%s", what, *what ? ": " : "",
				    cell_text(&ask, &root, "text"));
	if (!what)
		return;
	tame(what);
	printf("%-19s  %-14s  %s\n", print_time(&ask, cell_number(&root, "time_ms")),
	       cell_text(&ask, &root, "kind"), what);
}

static void print_line(struct printing *p)
{
	if (p->line.len && p->ask->json)
		printf("%s\n", p->line.data);
	else if (p->line.len)
		print_event(p, p->line.data, p->line.len);
	p->line.len = 0;
}

static int on_data(void *data, const char *bytes, size_t len)
{
	struct printing *p = data;

	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end ? (size_t)(end - bytes) : len;

		strbuf_add(&p->line, bytes, part);
		if (!strbuf_ok(&p->line))
			return -ENOMEM;
		if (end)
			print_line(p);
		part += !!end;
		bytes += part;
		len -= part;
	}
	return fflush(stdout) == EOF ? -errno : 0;
}

static int events(const struct ask *ask, struct err *err)
{
	const struct events_args *args = ask->args;
	struct printing p = { .ask = ask };
	unsigned long long since = 0;
	char path[96], *end = NULL;
	int r;

	if (args->since) {
		since = strtoull(args->since, &end, 10);
		if (*end || end == args->since)
			return err_say(err, EINVAL, "--since: \"%s\" is no index of an event",
				       args->since);
	}
	snprintf(path, sizeof(path), "/v1/events?since=%llu%s", since,
		 args->follow ? "&follow=true" : "");
	r = cell_ask_stream(ask, path, args->follow ? -1 : 0, on_data, &p, err);
	strbuf_deinit(&p.line);
	return r;
}

static const struct option_entry events_options[] = {
	OPTION_BOOL(struct events_args, follow, 'f', "follow", "go on with what happens"),
	OPTION_STRING(struct events_args, since, 0, "since", "INDEX",
		      "only those after the one of that index (-o json tells them)"),
	OUTPUT_OPTION(struct events_args),
	OPTION_END,
};

const struct verb verb_cell_events = {
	.command = {
		.name = "ctr cell events",
		.summary = "tell what has happened in the cell",
		.options = events_options,
	},
	.args_size = sizeof(struct events_args),
	.run = events,
};
