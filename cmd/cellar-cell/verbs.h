/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of `ctr` that talk to a cell: a table, a few small ones a file. What they have in
 * common is done before they run: options by their table, words counted, -o looked at.
 *
 *	struct scale_args { struct verb_args common; bool wait; };
 *	static int scale(const struct ask *ask, struct err *err);
 *	const struct verb verb_job_scale = { .command = {...}, .run = scale,
 *					     .args_size = sizeof(struct scale_args) };
 */
#pragma once

#include "base/err.h"
#include "base/http/client.h"
#include "base/json.h"
#include "cmd/options.h"

#define RUNROOT_DEFAULT "/run/cellar"
#define SOCKET_NAME "cell.sock"
#define JOB_FILE_MAX ((size_t)8 << 20)
#define EXIT_TIMEOUT 124 /* what was waited for has not come about in time */

/* Options in front of the verb. */
struct cellar_cell {
	const char *root, *runroot; /* as ctr has them; NULL: the defaults */
	const char *cell;	    /* URL of a master elsewhere, or NULL */
};

/* What the options of each verb's struct begin with. */
struct verb_args {
	const char *output; /* -o; NULL: a table */
};

#define OUTPUT_OPTION(type) \
	OPTION_STRING(type, common.output, 'o', "output", "FORMAT", "table or json")

/* A verb at work. */
struct ask {
	const struct cellar_cell *cell;
	const struct verb *verb;
	struct arena *arena;
	void *args;   /* of args_size */
	char **words; /* behind the options */
	size_t count;
	bool json; /* -o json */
};

struct verb {
	struct options_command command; /* name: "ctr job run" */
	size_t args_size;		/* of a struct that begins with verb_args; 0: that alone */
	/* Returns the exit status from 0 to 255, or -errno with the sentence in err. */
	int (*run)(const struct ask *ask, struct err *err);
};

/* Ends with NULL. */
extern const struct verb *const verbs[];

/* The verb's word, where it is of that group; else NULL: "run" of "ctr job run". */
const char *cell_word_of(const struct verb *verb, const char *group);

/* ---- words.c ---- */

/* Prints what may come next behind GROUP WORD... (cmd/complete.h): for `ctr completion`. */
void cell_words(const struct cellar_cell *cell, char *const *words, size_t count);

/* ---- ask.c ---- */

/* Asks the cell for METHOD PATH; what it refuses is an error with its sentence. doc is the
 * caller's. body: NULL for none. */
int cell_ask(const struct ask *ask, const char *method, const char *path, const char *body,
	     size_t len, struct json_doc **ret, struct err *err);
/* Reads what the cell can tell within so many seconds. */
int cell_ask_soon(const struct ask *ask, const char *path, long timeout_s, struct json_doc **ret,
		  struct err *err);
/* The same with a path in which %s is a name, escaped. */
int cell_ask_name(const struct ask *ask, const char *method, const char *fmt, const char *name,
		  const char *body, struct json_doc **ret, struct err *err);
/* The answer's body as it comes; timeout_s as in http_call. */
int cell_ask_stream(const struct ask *ask, const char *path, long timeout_s,
		    int (*on_data)(void *data, const char *bytes, size_t len), void *data,
		    struct err *err);

/* The sentence with which the cell has refused: -errno. */
int cell_refused(const struct ask *ask, const struct http_answer *answer, struct err *err);

/* A field as text that lives in the ask's arena; "" where there is none. */
const char *cell_text(const struct ask *ask, const struct json_node *node, const char *key);
int64_t cell_number(const struct json_node *node, const char *key);

/* JOB or JOB/INDEX: the word is cut at the slash. -EINVAL. */
#define NO_INDEX UINT32_MAX
int cell_parse_task(char *word, uint32_t *ret_index, struct err *err);

/* Replaces ourselves by another program of ours; the list ends with NULL. Returns -errno. */
int cell_exec(const struct ask *ask, const char *program, const char *const *words,
	      struct err *err);

/* ---- job_file.c ---- */

/* Of a plan: where tasks would go, and who else would move. */
void cell_print_places(const struct ask *ask, const struct json_node *root);

/* ---- wait.c ---- */

/* Until no task of the job pends, by the cell's word: 0; EXIT_TIMEOUT with what pends in stderr.
 * limit: "30s"; NULL: however long it takes. */
int cell_await_job(const struct ask *ask, const char *job, const char *limit, struct err *err);

/* ---- print.c ---- */

enum column_kind { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_CPU, COLUMN_BYTES, COLUMN_TIME };

struct column {
	const char *title, *key;
	enum column_kind kind;
	int narrow; /* a terminal that is too narrow goes without 1 first, then 2...; 0: always */
	/* In place of key and kind. */
	const char *(*text)(const struct ask *ask, const struct json_node *row);
};

/* Of each element of the array a line; columns end with one without a title. */
void print_rows(const struct ask *ask, const struct column *columns, const struct json_node *array);
/* The answer itself. */
int print_json(const struct json_node *node, struct err *err);
/* "100m", "64Mi", "2026-11-23 02:30:57"; live in the arena. */
const char *print_cpu(const struct ask *ask, int64_t milli);
const char *print_bytes(const struct ask *ask, int64_t bytes);
const char *print_time(const struct ask *ask, int64_t ms);
