/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/client.h"

#include <ctype.h>
#include <string.h>

#include "base/http/request.h"

int http_call(const struct http_call *call, struct http_answer *ret, struct err *err)
{
	_cleanup_(http_easy_deinit) struct http_easy easy = { 0 };

	err_try(http_easy_init(&easy, call, err));
	return http_easy_finish(&easy, curl_easy_perform(easy.curl), ret, err);
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
