/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/joining.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "scheduler/api/api.h"
#include "scheduler/api/caller.h"
#include "scheduler/api/http.h"
#include "scheduler/link/revoked.h"
#include "scheduler/link/token.h"
#include "scheduler/master/master.h"

#define NS_PER_MS INT64_C(1000000)
#define TTL_MAX_MS (INT64_C(365) * 24 * 60 * 60 * 1000)
#define NS_PER_MINUTE (60 * 1000 * NS_PER_MS)
#define STRANGE_MAX 20 /* audited in a minute: anybody may try to join */

struct link_joining {
	struct master *master;
	struct api *api;
	const struct pki_pair *ca;
	struct tokens *tokens;
	struct revoked *revoked;
	char fingerprint[DIGEST_HEX_SIZE];
	int64_t strange_minute; /* in which so many were refused: */
	unsigned strange;
};

int link_joining_new(struct master *master, struct api *api, const struct pki_pair *ca,
		     struct link_joining **ret, struct err *err)
{
	_cleanup_link_joining_ struct link_joining *joining = calloc(1, sizeof(*joining));

	if (!joining)
		return err_set(err, ENOMEM, "let others join");
	joining->master = master;
	joining->api = api;
	joining->ca = ca;
	err_try(pki_fingerprint(ca->certificate, joining->fingerprint, err));
	err_try(tokens_load(master, &joining->tokens, err));
	err_try(revoked_load(master, &joining->revoked, err));
	*ret = take_ptr(joining);
	return 0;
}

struct link_joining *link_joining_free(struct link_joining *joining)
{
	if (joining) {
		tokens_free(joining->tokens);
		revoked_free(joining->revoked);
	}
	free(joining);
	return NULL;
}

int link_joining_check(const struct link_joining *joining,
		       const struct http_certificate *certificate, struct err *err)
{
	return revoked_check(joining->revoked, certificate, err);
}

/* ---- requests ---- */

struct asked {
	struct link_joining *joining;
	struct http_request *request;
	struct arena *arena;
	struct json_node body;
	struct json_writer *w;
};

/* Of a machine or a person: in paths, in tables, in certificates. */
static int check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.@", name[i]))
			len = 0;
	if (!len || len >= TOKEN_NAME_SIZE || !isalnum((unsigned char)name[0]))
		return err_say(err, EINVAL,
			       "\"%.80s\" is no name: letters, digits and -_.@, at most %d, a "
			       "letter or digit first",
			       name, TOKEN_NAME_SIZE - 1);
	return 0;
}

static int read_grant(const struct asked *a, struct token_grant *ret, struct err *err)
{
	const char *role = PKI_ROLE_AGENT, *name = "";

	err_try(json_get_string(&a->body, "role", a->arena, &role, err));
	err_try(json_get_string(&a->body, "name", a->arena, &name, err));
	if (strcmp(role, PKI_ROLE_AGENT) != 0 && strcmp(role, PKI_ROLE_PERSON) != 0 &&
	    strcmp(role, PKI_ROLE_OPERATOR) != 0)
		return json_bad(&a->body, err, "role: there are agent, person and operator");
	if (*name)
		err_try(check_name(name, err));
	else if (strcmp(role, PKI_ROLE_AGENT) != 0)
		return json_bad(&a->body, err, "name: missing; a token of a person has one");
	snprintf(ret->role, sizeof(ret->role), "%s", role);
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

static int make_token(const struct asked *a, const struct caller *caller, struct token_grant *grant,
		      struct err *err)
{
	char token[TOKEN_SIZE], expires[CLOCK_RFC3339_SIZE];
	int64_t ttl_ms = 0;

	if (caller->role != CALLER_OPERATOR)
		return err_say(err, EPERM, "%s may not make tokens: that is for operators",
			       caller->name);
	err_try(json_need(json_get_range(&a->body, "ttl_ms", 1, TTL_MAX_MS, &ttl_ms, err), &a->body,
			  "ttl_ms", err));
	err_try(read_grant(a, grant, err));
	err_try(tokens_create(a->joining->tokens, grant, ttl_ms, a->joining->fingerprint, token,
			      err));
	json_open_object(a->w);
	json_field_string(a->w, "token", token);
	json_field_string(a->w, "expires",
			  clock_format(clock_realtime_ns() + ttl_ms * NS_PER_MS, expires));
	json_close_object(a->w);
	return 0;
}

static int create_token(const struct asked *a, struct err *err)
{
	struct token_grant grant = { 0 };
	struct caller caller;
	int r;

	api_caller(a->request, &caller);
	r = make_token(a, &caller, &grant, err);
	return master_audit(a->joining->master, &caller, r, err, "make a token for %s %s",
			    *grant.role ? grant.role : "somebody",
			    *grant.name ? grant.name : "of any new name");
}

/* Also what would get another one at once. */
static int take_back_one(const struct asked *a, const char *role, const char *name, struct err *err)
{
	err_try(revoked_add(a->joining->revoked, role, name, err));
	return tokens_take_back(a->joining->tokens, role, name, err);
}

/* A name is a person's, whatever the role; what goes on for it ends. */
static int take_back_person(const struct asked *a, const struct token_grant *grant, struct err *err)
{
	bool person = strcmp(grant->role, PKI_ROLE_PERSON) == 0;
	char sentence[TOKEN_NAME_SIZE + 64];

	snprintf(sentence, sizeof(sentence), "the certificate of %s was revoked", grant->name);
	api_cut_off(a->joining->api, grant->name, sentence);
	return take_back_one(a, person ? PKI_ROLE_OPERATOR : PKI_ROLE_PERSON, grant->name, err);
}

static int take_back(const struct asked *a, const struct caller *caller, struct token_grant *grant,
		     struct err *err)
{
	if (caller->role != CALLER_OPERATOR)
		return err_say(err, EPERM, "%s may not revoke certificates: that is for operators",
			       caller->name);
	err_try(read_grant(a, grant, err));
	if (!*grant->name)
		return err_say(err, EINVAL, "say whose certificate is revoked");
	err_try(take_back_one(a, grant->role, grant->name, err));
	if (strcmp(grant->role, PKI_ROLE_AGENT) != 0)
		err_try(take_back_person(a, grant, err));
	json_open_object(a->w);
	json_field_string(a->w, "name", grant->name);
	json_close_object(a->w);
	return 0;
}

static int revoke_asked(const struct asked *a, struct err *err)
{
	struct token_grant grant = { 0 };
	struct caller caller;
	int r;

	api_caller(a->request, &caller);
	r = take_back(a, &caller, &grant, err);
	return master_audit(a->joining->master, &caller, r, err, "revoke the certificate of %s %s",
			    *grant.role ? grant.role : "somebody",
			    *grant.name ? grant.name : "who is not named");
}

static int tell_ca(const struct asked *a, struct err *err)
{
	(void)err;
	json_open_object(a->w);
	json_field_string(a->w, "ca", a->joining->ca->certificate);
	json_close_object(a->w);
	return 0;
}

/* Whoever has a token for some machine must not become one that is there. */
static int find_name(const struct asked *a, const struct token_grant *grant, const char **ret,
		     struct err *err)
{
	const char *name = NULL;

	if (*grant->name) {
		*ret = grant->name;
		return 0;
	}
	err_try(json_need(json_get_string(&a->body, "name", a->arena, &name, err), &a->body, "name",
			  err));
	err_try(check_name(name, err));
	if (master_knows_machine(a->joining->master, name) ||
	    tokens_have_named(a->joining->tokens, name))
		return err_say(err, EEXIST,
			       "there is a machine called %s already; to replace it, use a token "
			       "that names it: celld token create --machine %s",
			       name, name);
	*ret = name;
	return 0;
}

static int sign(const struct asked *a, struct token_grant *grant, const char **ret_name,
		struct err *err)
{
	_cleanup_free_ char *certificate = NULL;
	const char *secret = NULL, *request = NULL, *name;

	err_try(json_need(json_get_string(&a->body, "secret", a->arena, &secret, err), &a->body,
			  "secret", err));
	err_try(json_need(json_get_string(&a->body, "request", a->arena, &request, err), &a->body,
			  "request", err));
	err_try(tokens_check(a->joining->tokens, secret, grant, err));
	err_try(find_name(a, grant, &name, err));
	*ret_name = name;
	err_try(revoked_check_new(a->joining->revoked, grant->role, name, err));
	err_try(pki_sign(a->joining->ca, request, grant->role, name, &certificate, err));
	err_try(tokens_use(a->joining->tokens, secret, name, err));
	log_info("%s %s has joined", grant->role, name);
	json_open_object(a->w);
	json_field_string(a->w, "role", grant->role);
	json_field_string(a->w, "name", name);
	json_field_string(a->w, "certificate", certificate);
	json_close_object(a->w);
	return 0;
}

/* In the audit, which a flood of refusals would rotate out. */
static bool has_room(struct link_joining *joining)
{
	int64_t minute = clock_monotonic_ns() / NS_PER_MINUTE;

	if (joining->strange_minute != minute) {
		joining->strange_minute = minute;
		joining->strange = 0;
	}
	if (joining->strange == STRANGE_MAX)
		return false;
	if (++joining->strange == STRANGE_MAX)
		log_warn("%d were refused to join in a minute: the audit leaves out whoever else "
			 "is in it",
			 STRANGE_MAX);
	return true;
}

/* Who it is its token says; until then it is nobody. */
static int join(const struct asked *a, struct err *err)
{
	struct caller caller = { .name = "unknown", .uid = CALLER_NO_UID };
	struct token_grant grant = { 0 };
	const char *name = NULL;
	int r = sign(a, &grant, &name, err);

	if (r < 0 && !has_room(a->joining))
		return r;
	if (name)
		snprintf(caller.name, sizeof(caller.name), "%s", name);
	return master_audit(a->joining->master, &caller, r, err, "join as %s%s%s",
			    *grant.role ? grant.role : "somebody", name ? " " : "",
			    name ? name : "");
}

/* ---- routes ---- */

typedef int (*asked_fn)(const struct asked *asked, struct err *err);

static int read_and_run(struct asked *a, asked_fn fn, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	size_t len;
	const char *text = http_body(a->request, &len);

	if (!a->arena || !a->w)
		return err_set(err, ENOMEM, "read a request");
	if (fn == tell_ca)
		return fn(a, err);
	err_try(json_parse(text, len, &doc, err));
	a->body = json_root(doc);
	err_try(json_object(&a->body, err));
	return fn(a, err);
}

static bool serve(struct link_joining *joining, struct http_request *request, asked_fn fn)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct asked asked = { .joining = joining, .request = request, .arena = arena, .w = w };
	struct err err = { 0 };

	if (read_and_run(&asked, fn, &err) < 0)
		api_answer_error(request, &err);
	else
		api_answer_json(request, w);
	return true;
}

static const struct {
	struct link_joining_route route;
	asked_fn fn;
	bool anybody; /* without a certificate, or with any */
} served[] = {
	{ { "GET", "/v1/ca" }, tell_ca, true },
	{ { "POST", "/v1/join" }, join, true },
	{ { "POST", "/v1/tokens" }, create_token, false },
	{ { "POST", "/v1/revoke" }, revoke_asked, false },
};

bool link_joining_route(size_t i, struct link_joining_route *ret)
{
	if (i < ARRAY_SIZE(served))
		*ret = served[i].route;
	return i < ARRAY_SIZE(served);
}

static bool serve_one(struct link_joining *joining, struct http_request *request, bool anybody)
{
	for (size_t i = 0; i < ARRAY_SIZE(served); i++)
		if (served[i].anybody == anybody &&
		    strcmp(http_method(request), served[i].route.method) == 0 &&
		    strcmp(http_path(request), served[i].route.path) == 0)
			return serve(joining, request, served[i].fn);
	return false;
}

bool link_joining_serve_anybody(struct link_joining *joining, struct http_request *request)
{
	return serve_one(joining, request, true);
}

bool link_joining_serve(void *joining, struct http_request *request)
{
	return serve_one(joining, request, false);
}
