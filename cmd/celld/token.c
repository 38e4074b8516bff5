/* SPDX-License-Identifier: Apache-2.0 */
/* celld token create: lets somebody join the cell; revoke: takes back what came of it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/http/client.h"
#include "base/json.h"
#include "cmd/celld/life.h"
#include "cmd/celld/verbs.h"
#include "runtime/engine/engine.h"
#include "scheduler/link/pki.h"
#include "spec/job/amount.h"

struct token_args {
	const char *ttl, *machine, *person, *operator, * runroot;
};

static const struct option_entry token_options[] = {
	OPTION_STRING(struct token_args, ttl, 0, "ttl", "TIME",
		      "how long it can be used, like 10m (default 1h)"),
	OPTION_STRING(struct token_args, machine, 0, "machine", "NAME",
		      "for a machine of this name, also one that is there (default: any new one)"),
	OPTION_STRING(struct token_args, person, 0, "person", "NAME", "for a person"),
	OPTION_STRING(struct token_args, operator, 0, "operator", "NAME",
		      "for a person who may do everything"),
	OPTION_STRING(struct token_args, runroot, 0, "runroot", "DIR",
		      "of the master (default " ENGINE_RUNROOT_DEFAULT ")"),
	OPTION_END,
};

static char *write_request(const struct token_args *args, int64_t ttl_ms)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_i64(w, "ttl_ms", ttl_ms);
	json_field_string(w, "role",
			  args->operator ? PKI_ROLE_OPERATOR
			  : args->person ? PKI_ROLE_PERSON
					 : PKI_ROLE_AGENT);
	json_field_string(w, "name",
			  args->operator ? args->operator
			  : args->person ? args->person
					 : args->machine);
	json_close_object(w);
	return json_writer_take(w, &len);
}

static int refused(const struct http_answer *answer, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *sentence = NULL;

	if (arena && json_parse(answer->body, answer->len, &doc, NULL) == 0) {
		struct json_node root = json_root(doc);

		json_get_string(&root, "error", arena, &sentence, NULL);
	}
	return err_say(err, EPERM, "%s", sentence ? sentence : "the master refuses it");
}

static int print_answer(const struct http_answer *answer, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *token = NULL, *expires = "";
	struct json_node root;

	if (answer->status != 200)
		return refused(answer, err);
	if (!arena)
		return err_set(err, ENOMEM, "read the master's answer");
	err_try(json_parse(answer->body, answer->len, &doc, err));
	root = json_root(doc);
	err_try(json_need(json_get_string(&root, "token", arena, &token, err), &root, "token",
			  err));
	err_try(json_get_string(&root, "expires", arena, &expires, err));
	puts(token);
	fprintf(stderr, "It can be used once, until %s.\n", expires);
	return 0;
}

static int create(const struct token_args *args, int64_t ttl_ms, struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	_cleanup_free_ char *body = write_request(args, ttl_ms);
	char socket[PATH_MAX];
	struct http_call call = {
		.unix_path = socket, .method = "POST", .url = "http://cell/v1/tokens", .body = body
	};
	int r;

	if (!body)
		return err_set(err, ENOMEM, "make a token");
	call.body_len = strlen(body);
	err_try(life_path(socket, args->runroot, "cell.sock", err));
	r = http_call(&call, &answer, err);
	if (r == -ECONNREFUSED)
		return err_say(err, ECONNREFUSED, "no master is at work at %s", socket);
	return r < 0 ? r : print_answer(&answer, err);
}

static int take_back(const struct token_args *args, struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	_cleanup_free_ char *body = write_request(args, 0);
	char socket[PATH_MAX];
	struct http_call call = {
		.unix_path = socket, .method = "POST", .url = "http://cell/v1/revoke", .body = body
	};
	int r;

	if (!args->machine && !args->person && !args->operator)
		return err_say(err, EINVAL, "say whose certificate: --machine or --person");
	if (!body)
		return err_set(err, ENOMEM, "revoke a certificate");
	call.body_len = strlen(body);
	err_try(life_path(socket, args->runroot, "cell.sock", err));
	r = http_call(&call, &answer, err);
	if (r == -ECONNREFUSED)
		return err_say(err, ECONNREFUSED, "no master is at work at %s", socket);
	if (r < 0)
		return r;
	return answer.status == 200 ? 0 : refused(&answer, err);
}

static int run_token(int argc, char **argv, struct err *err)
{
	struct token_args args = { .ttl = "1h", .runroot = ENGINE_RUNROOT_DEFAULT };
	int64_t ttl_ms;
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_token.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (strcmp(words[0], "create") != 0 && strcmp(words[0], "revoke") != 0)
		return err_say(err, EINVAL,
			       "there is no command \"token %s\"; there are create and revoke",
			       words[0]);
	if (amount_parse_ms(args.ttl, &ttl_ms) < 0 || !ttl_ms)
		return err_say(err, EINVAL, "--ttl: \"%s\" is no time, like 10m or 24h", args.ttl);
	if (!!args.machine + !!args.person + !!args.operator> 1)
		return err_say(err, EINVAL, "one of --machine, --person and --operator at most");
	return strcmp(words[0], "revoke") == 0 ? take_back(&args, err) : create(&args, ttl_ms, err);
}

const struct verb verb_token = {
	.command = {
		.name = "celld token",
		.args = "create|revoke",
		.summary = "let a machine or a person join, or no more",
		.details = "create prints a token, with which `celld join` works once. revoke takes back the\n"
			   "certificates that --machine or --person NAME has got so.",
		.options = token_options,
		.args_min = 1,
		.args_max = 1,
	},
	.run = run_token,
};
