/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer, over libcurl; for programs that can wait. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

/* Files in PEM. Of both ends nothing counts but what this CA has signed. */
struct http_trust {
	const char *ca;		       /* NULL: whoever answers is believed */
	const char *certificate, *key; /* to be shown, or NULL */
};

struct http_call {
	const char *unix_path; /* a socket to go through, or NULL */
	const char *address;   /* "HOST:PORT" to go to, whatever host the URL names, or NULL */
	const struct http_trust *trust; /* of an https URL; NULL: that of the system */
	const char *method, *url;
	const char *body; /* or NULL */
	size_t body_len;
	long timeout_s;	   /* 0: 60; below: none */
	size_t answer_max; /* bytes; 0: 64 MiB */
	/* Gets the body of an answer with status 200 as it comes, in place of the answer; <0 ends
	 * it, with -EIO. NULL: nobody. */
	int (*on_data)(void *data, const char *bytes, size_t len);
	void *data;
};

struct http_answer {
	long status;
	char *body; /* owned, NUL-terminated */
	size_t len;
};

/* 0 with whatever status was answered; -ECONNREFUSED where nobody listens, -ETIMEDOUT, -EFBIG,
 * -EACCES where the other end's certificate is none of the CA's, or ours is refused. */
int http_call(const struct http_call *call, struct http_answer *ret, struct err *err);

/* A part of a path or query with everything but letters, digits and -._~ as %XX; owned by the
 * caller, NULL when out of memory. */
char *http_escape(const char *text);

static inline void http_answer_deinit(struct http_answer *answer)
{
	free(answer->body);
}

#define _cleanup_http_answer_ _cleanup_(http_answer_deinit)
