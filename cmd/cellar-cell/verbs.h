/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `ctr` that talk to a cell: a table, one small file each. */
#pragma once

#include "base/err.h"
#include "base/http/client.h"
#include "base/json.h"
#include "cmd/options.h"

#define RUNROOT_DEFAULT "/run/cellar"
#define SOCKET_NAME "cell.sock"
#define VERB_HELP 256 /* --help was asked for */
#define JOB_FILE_MAX ((size_t)8 << 20)

/* Options in front of the verb. */
struct cellar_cell {
	const char *root, *runroot; /* as ctr has them; NULL: the defaults */
};

struct verb {
	struct options_command command; /* name: "ctr job run" */
	/* Returns the exit status from 0 to 255, VERB_HELP, or -errno with the sentence in err. */
	int (*run)(const struct cellar_cell *cell, int argc, char **argv, struct err *err);
};

extern const struct verb verb_job_logs;
extern const struct verb verb_job_ls;
extern const struct verb verb_job_run;
extern const struct verb verb_job_status;
extern const struct verb verb_job_stop;
extern const struct verb verb_job_validate;
extern const struct verb verb_job_why;
extern const struct verb verb_machine_ls;
extern const struct verb verb_secret_ls;
extern const struct verb verb_secret_rm;
extern const struct verb verb_secret_set;

/*
 * Asks the cell for METHOD PATH; what it refuses is an error with its sentence. doc is the
 * caller's.
 */
int cell_ask(const struct cellar_cell *cell, const char *method, const char *path, const char *body,
	     size_t len, struct json_doc **ret, struct err *err);
/* The same for /v1/jobs/NAME with a query, or "". */
int cell_ask_job(const struct cellar_cell *cell, const char *method, const char *name,
		 const char *query, struct json_doc **ret, struct err *err);

/* -o: NULL and "table" are the table, "json". -EINVAL. */
int cell_parse_output(const char *output, bool *ret_json, struct err *err);
int cell_print(const struct json_node *node, struct err *err);

/* A field as text that lives in the document's arena; "" where there is none. */
const char *cell_text(const struct json_node *node, const char *key, struct arena *arena);
int64_t cell_number(const struct json_node *node, const char *key);
