/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_S 60L
#define CONNECT_S 10L
#define KEEPALIVE_S 30L /* an other end that has vanished is noticed some minutes later */
#define ANSWER_MAX ((size_t)64 << 20)

static size_t take(char *data, size_t one, size_t count, void *user)
{
	struct http_easy *easy = user;
	size_t len = one * count;
	long status = 0;

	if (easy->on_data)
		curl_easy_getinfo(easy->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return easy->on_data(easy->data, data, len) < 0 ? 0 : len;
	easy->too_large = len > easy->answer_max - easy->body.len;
	if (easy->too_large)
		return 0;
	strbuf_add(&easy->body, data, len);
	return strbuf_ok(&easy->body) ? len : 0;
}

/* Programs that we start must not have it. */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)data;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
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
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return EACCES;
	default:
		return EIO;
	}
}

static void set_trust(CURL *curl, const struct http_trust *trust)
{
	if (!trust)
		return;
	if (trust->ca) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, trust->ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	} else {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(curl, CURLOPT_SSLCERT, trust->certificate);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, trust->key);
}

static void set_options(struct http_easy *easy, const struct http_call *call)
{
	CURL *curl = easy->curl;

	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->unix_path);
	curl_easy_setopt(curl, CURLOPT_CONNECT_TO, easy->connect_to);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, call->unix_path || call->address ? "*" : NULL);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT,
			 call->timeout_s < 0 ? 0
			 : call->timeout_s   ? call->timeout_s
					     : TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S / 2);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, easy);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, easy->headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->why);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, easy);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	set_trust(curl, call->trust);
	if (call->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
		curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, call->body);
	}
}

int http_easy_init(struct http_easy *easy, const struct http_call *call, struct err *err)
{
	const char *where = call->unix_path ? call->unix_path
			    : call->address ? call->address
					    : call->url;
	_cleanup_free_ char *to = NULL;

	*easy = (struct http_easy){ .answer_max = call->answer_max ? call->answer_max : ANSWER_MAX,
				    .on_data = call->on_data,
				    .data = call->data };
	easy->curl = curl_easy_init();
	easy->where = strdup(where);
	/* Do not ask before a body is sent: those who answer are near. */
	easy->headers = curl_slist_append(NULL, "Expect:");
	if (call->address && asprintf(&to, "::%s", call->address) > 0)
		easy->connect_to = curl_slist_append(NULL, to);
	if (!easy->curl || !easy->where || !easy->headers || (call->address && !easy->connect_to)) {
		http_easy_deinit(easy);
		return err_set(err, ENOMEM, "ask %s", where);
	}
	set_options(easy, call);
	return 0;
}

void http_easy_deinit(struct http_easy *easy)
{
	curl_easy_cleanup(easy->curl);
	curl_slist_free_all(easy->headers);
	curl_slist_free_all(easy->connect_to);
	strbuf_deinit(&easy->body);
	free(easy->where);
	*easy = (struct http_easy){ 0 };
}

int http_easy_finish(struct http_easy *easy, CURLcode code, struct http_answer *ret,
		     struct err *err)
{
	struct http_answer answer = { 0 };

	if (easy->too_large)
		return err_say(err, EFBIG, "%s: the answer is too large", easy->where);
	if (code != CURLE_OK)
		return err_say(err, errno_of(code), "%s: %s", easy->where,
			       *easy->why ? easy->why : curl_easy_strerror(code));
	curl_easy_getinfo(easy->curl, CURLINFO_RESPONSE_CODE, &answer.status);
	answer.len = easy->body.len;
	answer.body = strbuf_take(&easy->body);
	if (!answer.body)
		return err_set(err, ENOMEM, "read the answer of %s", easy->where);
	*ret = answer;
	return 0;
}
