/* SPDX-License-Identifier: Apache-2.0 */
/* ctr job scale, resize, restart, ctr alloc scale, resize: jobs that change while they run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cellar-cell/verbs.h"
#include "spec/job/amount.h"

struct change_args {
	struct verb_args common;
	const char *cpu, *memory, *timeout;
	bool plan, wait;
};

static int await(const struct ask *ask, struct err *err)
{
	const struct change_args *args = ask->args;
	int r = args->wait || args->timeout ? cell_await_job(ask, ask->words[0], args->timeout, err)
					    : 0;

	if (r >= 0)
		puts(ask->words[0]);
	return r;
}

#define WAIT_OPTIONS                                                                            \
	OPTION_BOOL(struct change_args, wait, 'w', "wait", "return when all of its tasks run"), \
		OPTION_STRING(struct change_args, timeout, 0, "timeout", "TIME",                \
			      "wait no longer than that, 30s say; status 124 then")

/* ---- scale ---- */

static int print_scale_plan(const struct ask *ask, const struct json_node *root, struct err *err)
{
	struct json_node list;
	size_t count = 0;

	if (ask->json)
		return print_json(root, err);
	cell_print_places(ask, root);
	if (json_get_array(root, "leave", &list, &count, NULL) > 0)
		for (size_t i = 0; i < count; i++) {
			struct json_node one = json_at(&list, i);
			int64_t index = -1;

			err_try(json_i64(&one, 0, UINT32_MAX, &index, err));
			printf("%s/%" PRId64 " goes\n", ask->words[0], index);
		}
	return 0;
}

/* path: with a %s for the name. */
static int scale_by(const struct ask *ask, const char *path, const char *what, struct err *err)
{
	const struct change_args *args = ask->args;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	char body[64], *end;
	unsigned long count = strtoul(ask->words[1], &end, 10);

	if (*end || end == ask->words[1] || *ask->words[1] == '-' || count > UINT32_MAX)
		return err_say(err, EINVAL, "\"%s\" is no number of %s", ask->words[1], what);
	snprintf(body, sizeof(body), "{\"count\": %lu, \"plan\": %s}", count,
		 args->plan ? "true" : "false");
	err_try(cell_ask_name(ask, "POST", path, ask->words[0], body, &doc, err));
	root = json_root(doc);
	return args->plan ? print_scale_plan(ask, &root, err) : await(ask, err);
}

static int scale(const struct ask *ask, struct err *err)
{
	return scale_by(ask, "/v1/jobs/%s/scale", "tasks", err);
}

static int scale_set(const struct ask *ask, struct err *err)
{
	return scale_by(ask, "/v1/allocs/%s/scale", "allocs", err);
}

static const struct option_entry scale_options[] = {
	WAIT_OPTIONS,
	OPTION_BOOL(struct change_args, plan, 0, "plan", "tell what would happen, and do nothing"),
	OUTPUT_OPTION(struct change_args),
	OPTION_END,
};

const struct verb verb_job_scale = {
	.command = {
		.name = "ctr job scale",
		.args = "JOB COUNT",
		.summary = "give a job another number of tasks",
		.details = "With fewer, those with the highest indexes end. More tasks of a gang start all at\n"
			   "once, or none of them does.",
		.options = scale_options,
		.args_min = 2,
		.args_max = 2,
	},
	.args_size = sizeof(struct change_args),
	.run = scale,
};

const struct verb verb_alloc_scale = {
	.command = {
		.name = "ctr alloc scale",
		.args = "SET COUNT",
		.summary = "give an alloc set more or fewer allocs",
		.details = "More are reserved all at once, or none of them is. With fewer, empty ones go\n"
			   "first, then those with the highest indexes; what runs in them moves to another\n"
			   "alloc of the set, or pends.",
		.options = scale_options,
		.args_min = 2,
		.args_max = 2,
	},
	.args_size = sizeof(struct change_args),
	.run = scale_set,
};

/* ---- resize ---- */

static const char *victims_of(const struct ask *ask, const struct json_node *step)
{
	const char *const *list = NULL;
	const char *text = "";
	size_t count = 0;

	json_get_strings(step, "victims", ask->arena, &list, &count, NULL);
	for (size_t i = 0; i < count && text; i++)
		text = arena_printf(ask->arena, "%s%s%s", text, *text ? ", " : "", list[i]);
	return text ? text : "";
}

static int ask_resize(const struct ask *ask, const char *path, uint32_t index,
		      struct json_doc **ret, struct err *err)
{
	const struct change_args *args = ask->args;
	int64_t cpu = 0, memory = 0;
	char body[200], which[32] = "";

	if (!args->cpu && !args->memory)
		return err_say(err, EINVAL, "say how much: --cpu, --memory or both");
	if (args->cpu && (amount_parse_milli(args->cpu, &cpu) < 0 || !cpu))
		return err_say(err, EINVAL, "\"%s\" is not an amount of CPU, like 100m or 1.5",
			       args->cpu);
	if (args->memory && (amount_parse_bytes(args->memory, &memory) < 0 || !memory))
		return err_say(err, EINVAL, "\"%s\" is not a number of bytes, like 16Mi or 2G",
			       args->memory);
	if (index != NO_INDEX)
		snprintf(which, sizeof(which), "\"index\": %" PRIu32 ", ", index);
	snprintf(body, sizeof(body),
		 "{%s\"cpu_milli\": %" PRId64 ", \"memory_bytes\": %" PRId64 ", \"plan\": %s}",
		 which, cpu, memory, args->plan ? "true" : "false");
	return cell_ask_name(ask, "POST", path, ask->words[0], body, ret, err);
}

static int resize_by(const struct ask *ask, const char *path, uint32_t index, struct err *err)
{
	static const struct column columns[] = {
		{ "TASK", "index", COLUMN_NUMBER }, { "HOW", "how" }, { "MACHINE", "machine" },
		{ "VICTIMS", .text = victims_of },  { NULL },
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, steps;
	size_t count;

	err_try(ask_resize(ask, path, index, &doc, err));
	root = json_root(doc);
	if (ask->json)
		return print_json(&root, err);
	if (json_get_array(&root, "steps", &steps, &count, NULL) > 0)
		print_rows(ask, columns, &steps);
	return 0;
}

static int resize(const struct ask *ask, struct err *err)
{
	uint32_t index;

	err_try(cell_parse_task(ask->words[0], &index, err));
	return resize_by(ask, "/v1/jobs/%s/resize", index, err);
}

static int resize_set(const struct ask *ask, struct err *err)
{
	return resize_by(ask, "/v1/allocs/%s/resize", NO_INDEX, err);
}

static const struct option_entry resize_options[] = {
	OPTION_STRING(struct change_args, cpu, 0, "cpu", "AMOUNT", "of each, 100m or 1.5 say"),
	OPTION_STRING(struct change_args, memory, 0, "memory", "BYTES", "of each, 64Mi say"),
	OPTION_BOOL(struct change_args, plan, 0, "plan", "tell what would happen, and do nothing"),
	OUTPUT_OPTION(struct change_args),
	OPTION_END,
};

const struct verb verb_job_resize = {
	.command = {
		.name = "ctr job resize",
		.args = "JOB[/INDEX]",
		.summary = "give tasks more or less CPU and memory",
		.details = "In place where that fits, else by preemption, else on another machine. All\n"
			   "tasks get it or none.",
		.options = resize_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct change_args),
	.run = resize,
};

const struct verb verb_alloc_resize = {
	.command = {
		.name = "ctr alloc resize",
		.args = "SET",
		.summary = "give each alloc of a set more or less room",
		.options = resize_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct change_args),
	.run = resize_set,
};

/* ---- restart ---- */

static int restart(const struct ask *ask, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	char body[64] = "{}";
	uint32_t index;

	err_try(cell_parse_task(ask->words[0], &index, err));
	if (index != NO_INDEX)
		snprintf(body, sizeof(body), "{\"index\": %" PRIu32 "}", index);
	err_try(cell_ask_name(ask, "POST", "/v1/jobs/%s/restart", ask->words[0], body, &doc, err));
	return await(ask, err);
}

static const struct option_entry restart_options[] = { WAIT_OPTIONS, OPTION_END };

const struct verb verb_job_restart = {
	.command = {
		.name = "ctr job restart",
		.args = "JOB[/INDEX]",
		.summary = "start tasks anew, where they are",
		.options = restart_options,
		.args_min = 1,
		.args_max = 1,
	},
	.args_size = sizeof(struct change_args),
	.run = restart,
};
