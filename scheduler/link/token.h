/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens to join a cell by: "cellar-FINGERPRINT-SECRET". The fingerprint is that of the cell's CA,
 * so that whoever joins knows whom it talks to before it says the secret. The master keeps the
 * SHA-256 of the secret only, below "token/" in its store; a token is used once, in its time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/err.h"

struct master;
struct tokens;

#define TOKEN_SECRET_SIZE 33 /* 32 hex digits and NUL */
#define TOKEN_SIZE (sizeof("cellar--") + DIGEST_HEX_SIZE + TOKEN_SECRET_SIZE)
#define TOKEN_NAME_SIZE 64

/* What a token makes of whoever uses it. */
struct token_grant {
	char role[16];		    /* PKI_ROLE_* */
	char name[TOKEN_NAME_SIZE]; /* "": the one who joins says it; of machines only */
};

/* Those in the master's store, which outlives them. */
int tokens_load(struct master *master, struct tokens **ret, struct err *err);
struct tokens *tokens_free(struct tokens *tokens);

/* In the store when it returns. fingerprint: of the CA. */
int tokens_create(struct tokens *tokens, const struct token_grant *grant, int64_t ttl_ms,
		  const char *fingerprint, char ret[static TOKEN_SIZE], struct err *err);
/* -EPERM: unknown, expired, or used; the sentence says which. */
int tokens_check(const struct tokens *tokens, const char *secret, struct token_grant *ret,
		 struct err *err);
/* By `name`. Used in the store, too, when it returns 0. */
int tokens_use(struct tokens *tokens, const char *secret, const char *name, struct err *err);

/* Those of that role and name that were not used yet; gone from the store, too, when it returns 0.
 */
int tokens_take_back(struct tokens *tokens, const char *role, const char *name, struct err *err);

/* A machine has got a certificate of that name, by a token that is still remembered. */
bool tokens_have_named(const struct tokens *tokens, const char *machine);

/* Cuts a token in two. -EINVAL. */
int token_split(const char *token, char fingerprint[static DIGEST_HEX_SIZE],
		char secret[static TOKEN_SECRET_SIZE], struct err *err);

CLEANUP_DEFINE(struct tokens, tokens, tokens_free);
#define _cleanup_tokens_ _cleanup_(cleanup_tokens)
