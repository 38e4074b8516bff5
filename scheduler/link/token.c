/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json.h"
#include "scheduler/link/pki.h"
#include "scheduler/master/master.h"

#define PREFIX "token/"
#define BEGIN "cellar-"
#define NS_PER_MS INT64_C(1000000)
#define SECRET_BYTES 16
/* For so long one that is of no use any more is remembered, to say why. */
#define REMEMBERED_MS (INT64_C(7) * 24 * 60 * 60 * 1000)

struct token {
	struct token *next;
	char hash[DIGEST_HEX_SIZE];
	struct token_grant grant;
	int64_t expires_ms;
	char used_by[TOKEN_NAME_SIZE]; /* "": not yet */
};

struct tokens {
	struct master *master;
	struct token *list;
};

static int64_t now_ms(void)
{
	return clock_realtime_ns() / NS_PER_MS;
}

static void hash_secret(const char *secret, char ret[static DIGEST_HEX_SIZE])
{
	digest_of(secret, strlen(secret), ret);
}

/* ---- in the store ---- */

static int put(struct tokens *tokens, const struct token *token, const char *used_by,
	       struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	char key[sizeof(PREFIX) + DIGEST_HEX_SIZE];
	size_t len;

	if (w) {
		json_open_object(w);
		json_field_string(w, "role", token->grant.role);
		json_field_string(w, "name", token->grant.name);
		json_field_i64(w, "expires_ms", token->expires_ms);
		json_field_string(w, "used_by", used_by);
		json_close_object(w);
	}
	text = w ? json_writer_take(w, &len) : NULL;
	if (!text)
		return err_set(err, ENOMEM, "write a token");
	snprintf(key, sizeof(key), PREFIX "%s", token->hash);
	return master_put_note(tokens->master, key, text, err);
}

static int copy_text(const struct json_node *node, const char *key, char *ret, size_t size,
		     struct arena *arena, struct err *err)
{
	const char *text = "";

	err_try(json_get_string(node, key, arena, &text, err));
	if (strlen(text) >= size)
		return json_bad(node, err, "%s: too long", key);
	snprintf(ret, size, "%s", text);
	return 0;
}

static int read_token(const char *text, size_t len, struct token *token, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	if (!arena)
		return err_set(err, ENOMEM, "read a token");
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(copy_text(&root, "role", token->grant.role, sizeof(token->grant.role), arena, err));
	err_try(copy_text(&root, "name", token->grant.name, sizeof(token->grant.name), arena, err));
	err_try(copy_text(&root, "used_by", token->used_by, sizeof(token->used_by), arena, err));
	return json_get_i64(&root, "expires_ms", &token->expires_ms, err);
}

static int load_one(void *data, const char *key, const char *text, size_t len, struct err *err)
{
	struct tokens *tokens = data;
	struct token *token = calloc(1, sizeof(*token));
	int r;

	if (!token)
		return err_set(err, ENOMEM, "load the tokens");
	snprintf(token->hash, sizeof(token->hash), "%s", key + sizeof(PREFIX) - 1);
	token->next = tokens->list;
	tokens->list = token;
	r = read_token(text, len, token, err);
	return r < 0 ? err_add(err, "the store's %s", key) : 0;
}

int tokens_load(struct master *master, struct tokens **ret, struct err *err)
{
	_cleanup_tokens_ struct tokens *tokens = calloc(1, sizeof(*tokens));

	if (!tokens)
		return err_set(err, ENOMEM, "load the tokens");
	tokens->master = master;
	err_try(master_each_note(master, PREFIX, load_one, tokens, err));
	*ret = take_ptr(tokens);
	return 0;
}

struct tokens *tokens_free(struct tokens *tokens)
{
	struct token *next;

	for (struct token *token = tokens ? tokens->list : NULL; token; token = next) {
		next = token->next;
		free(token);
	}
	free(tokens);
	return NULL;
}

/* In the store, and in the list. */
static int forget(struct tokens *tokens, struct token **p, struct err *err)
{
	struct token *token = *p;
	char key[sizeof(PREFIX) + DIGEST_HEX_SIZE];

	snprintf(key, sizeof(key), PREFIX "%s", token->hash);
	err_try(master_put_note(tokens->master, key, NULL, err));
	*p = token->next;
	free(token);
	return 0;
}

static void forget_old(struct tokens *tokens)
{
	struct token **p = &tokens->list;

	while (*p)
		if (now_ms() - (*p)->expires_ms < REMEMBERED_MS || forget(tokens, p, NULL) < 0)
			p = &(*p)->next;
}

/* ---- their life ---- */

static int make_secret(char ret[static TOKEN_SECRET_SIZE], struct err *err)
{
	unsigned char bytes[SECRET_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_set(err, errno, "make a secret");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

int tokens_create(struct tokens *tokens, const struct token_grant *grant, int64_t ttl_ms,
		  const char *fingerprint, char ret[static TOKEN_SIZE], struct err *err)
{
	_cleanup_free_ struct token *token = calloc(1, sizeof(*token));
	char secret[TOKEN_SECRET_SIZE];

	if (!token)
		return err_set(err, ENOMEM, "make a token");
	err_try(make_secret(secret, err));
	token->grant = *grant;
	token->expires_ms = now_ms() + ttl_ms;
	hash_secret(secret, token->hash);
	err_try(put(tokens, token, NULL, err));
	forget_old(tokens);
	token->next = tokens->list;
	tokens->list = token;
	take_ptr(token);
	snprintf(ret, TOKEN_SIZE, BEGIN "%s-%s", fingerprint, secret);
	return 0;
}

static struct token *find(const struct tokens *tokens, const char *secret)
{
	char hash[DIGEST_HEX_SIZE];

	hash_secret(secret, hash);
	for (struct token *token = tokens->list; token; token = token->next)
		if (strcmp(token->hash, hash) == 0)
			return token;
	return NULL;
}

bool tokens_have_named(const struct tokens *tokens, const char *machine)
{
	for (const struct token *token = tokens->list; token; token = token->next)
		if (strcmp(token->grant.role, PKI_ROLE_AGENT) == 0 &&
		    strcmp(token->used_by, machine) == 0)
			return true;
	return false;
}

int tokens_check(const struct tokens *tokens, const char *secret, struct token_grant *ret,
		 struct err *err)
{
	const struct token *token = find(tokens, secret);
	char when[CLOCK_RFC3339_SIZE];

	if (!token)
		return err_say(err, EPERM,
			       "the token is none of this cell's; `celld token create` makes one");
	if (*token->used_by)
		return err_say(err, EPERM,
			       "the token was used already, by %s; `celld token create` makes "
			       "another",
			       token->used_by);
	if (now_ms() > token->expires_ms) {
		clock_format(token->expires_ms / 1000 * 1000 * NS_PER_MS, when);
		return err_say(err, EPERM,
			       "the token's time was over at %s; `celld token create` makes "
			       "another",
			       when);
	}
	*ret = token->grant;
	return 0;
}

int tokens_use(struct tokens *tokens, const char *secret, const char *name, struct err *err)
{
	struct token *token = find(tokens, secret);

	if (!token)
		return err_say(err, EPERM, "the token is none of this cell's");
	err_try(put(tokens, token, name, err));
	snprintf(token->used_by, sizeof(token->used_by), "%s", name);
	return 0;
}

int tokens_take_back(struct tokens *tokens, const char *role, const char *name, struct err *err)
{
	struct token **p = &tokens->list;

	while (*p) {
		const struct token *token = *p;

		if (!*token->used_by && strcmp(token->grant.role, role) == 0 &&
		    strcmp(token->grant.name, name) == 0)
			err_try(forget(tokens, p, err));
		else
			p = &(*p)->next;
	}
	return 0;
}

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

int token_split(const char *token, char fingerprint[static DIGEST_HEX_SIZE],
		char secret[static TOKEN_SECRET_SIZE], struct err *err)
{
	const char *print = token + sizeof(BEGIN) - 1;
	const char *rest = print + DIGEST_HEX_SIZE;

	if (strlen(token) != sizeof(BEGIN) - 1 + DIGEST_HEX_SIZE + TOKEN_SECRET_SIZE - 1 ||
	    strncmp(token, BEGIN, sizeof(BEGIN) - 1) != 0 || !is_hex(print, DIGEST_HEX_SIZE - 1) ||
	    rest[-1] != '-' || !is_hex(rest, TOKEN_SECRET_SIZE - 1))
		return err_say(err, EINVAL,
			       "this is no token of a cell; they look like cellar-%s-%s",
			       "FINGERPRINT", "SECRET");
	snprintf(fingerprint, DIGEST_HEX_SIZE, "%.*s", DIGEST_HEX_SIZE - 1, print);
	snprintf(secret, TOKEN_SECRET_SIZE, "%s", rest);
	return 0;
}
