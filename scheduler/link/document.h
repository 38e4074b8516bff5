/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document of the exchange (scheduler/agent/exchange.h), cut into what changes by itself: its
 * head, and each of its tasks. Over the link go only those that the other end does not have, and
 * the hash of the whole, by which that end sees whether both mean the same:
 *
 *	{"base": HASH, "hash": HASH, "head": {...}, "set": [TASK...], "drop": ["JOB/INDEX@N"...]}
 *
 * Without base it is the whole document.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strbuf.h"

#define DOCUMENT_HASH_SIZE 17 /* 16 hex digits and NUL */

struct document;

/* -EINVAL with the JSON path. */
int document_parse(const char *text, size_t len, struct document **ret, struct err *err);
struct document *document_free(struct document *document);

/* Owned by the caller; NULL when out of memory. */
char *document_text(const struct document *document, size_t *ret_len);
const char *document_hash(const struct document *document);

/* Appends an object that makes `to` out of `from`; from NULL: the whole of it. */
void document_add_diff(struct strbuf *sb, const struct document *from, const struct document *to);

/* 1: it is no change of `from` (which may be NULL), and the whole is needed. */
int document_apply(const struct document *from, const struct json_node *diff, struct document **ret,
		   struct err *err);

CLEANUP_DEFINE(struct document, document, document_free);
#define _cleanup_document_ _cleanup_(cleanup_document)
