/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

#define TIMEOUT_S 60L
#define CONNECT_S 10L
#define ANSWER_MAX ((size_t)64 << 20)

struct taking {
	struct strbuf body;
	size_t max;
	bool too_large;
};

static size_t take(char *data, size_t one, size_t count, void *user)
{
	struct taking *taking = user;
	size_t len = one * count;

	taking->too_large = len > taking->max - taking->body.len;
	if (taking->too_large)
		return 0;
	strbuf_add(&taking->body, data, len);
	return strbuf_ok(&taking->body) ? len : 0;
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return ENOMEM;
	default:
		return EIO;
	}
}

static CURLcode perform(CURL *curl, const struct http_call *call, struct taking *taking,
			struct curl_slist *headers)
{
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->unix_path);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, call->unix_path ? "*" : NULL);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, call->timeout_s ? call->timeout_s : TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, taking);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (call->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
	}
	return curl_easy_perform(curl);
}

int http_call(const struct http_call *call, struct http_answer *ret, struct err *err)
{
	struct taking taking = { .max = call->answer_max ? call->answer_max : ANSWER_MAX };
	/* Do not ask before a body is sent: those who answer are near. */
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	const char *where = call->unix_path ? call->unix_path : call->url;
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	if (curl && headers) {
		code = perform(curl, call, &taking, headers);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (code == CURLE_OK) {
		char *body = strbuf_take(&taking.body);

		if (!body)
			return err_set(err, ENOMEM, "read the answer of %s", where);
		*ret = (struct http_answer){ status, body, taking.body.len };
		ret->len = strlen(body);
		return 0;
	}
	strbuf_deinit(&taking.body);
	if (taking.too_large)
		return err_say(err, EFBIG, "%s: the answer is too large", where);
	return err_say(err, errno_of(code), "%s: %s", where, curl_easy_strerror(code));
}

char *http_escape(const char *text)
{
	struct strbuf sb = { 0 };

	for (const char *c = text; *c; c++)
		if (isalnum((unsigned char)*c) || strchr("-._~", *c))
			strbuf_add(&sb, c, 1);
		else
			strbuf_addf(&sb, "%%%02X", (unsigned char)*c);
	return strbuf_take(&sb);
}
