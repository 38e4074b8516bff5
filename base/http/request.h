/* SPDX-License-Identifier: Apache-2.0 */
/* A request as libcurl has it: what those who wait for it and those who do not have in common. */
#pragma once

#include <curl/curl.h>

#include "base/http/client.h"
#include "base/strbuf.h"

struct http_easy {
	CURL *curl;
	struct curl_slist *headers, *connect_to;
	struct strbuf body; /* of the answer */
	size_t answer_max;
	bool too_large;
	int (*on_data)(void *data, const char *bytes, size_t len);
	void *data;
	char *where; /* for errors */
	char why[CURL_ERROR_SIZE];
};

/* In place: it must not move before http_easy_deinit(). The call need not outlive this. */
int http_easy_init(struct http_easy *easy, const struct http_call *call, struct err *err);
void http_easy_deinit(struct http_easy *easy);

/* After libcurl is done with it: the answer, or what went wrong. */
int http_easy_finish(struct http_easy *easy, CURLcode code, struct http_answer *ret,
		     struct err *err);
