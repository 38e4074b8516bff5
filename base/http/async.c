/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/async.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/http/request.h"
#include "base/loop.h"

#define NS_PER_MS INT64_C(1000000)

struct http_async {
	struct loop *loop;
	CURLM *multi;
	struct loop_source *timer;
	struct watched *watched;
};

/* A socket of libcurl's. */
struct watched {
	struct http_async *async;
	struct watched *next;
	curl_socket_t fd;
	struct loop_source *source;
};

struct http_flight {
	struct http_async *async;
	struct http_easy easy; /* first to come back through CURLINFO_PRIVATE */
	http_async_fn fn;
	void *data;
};

/* ---- libcurl under the loop ---- */

static struct http_flight *flight_free(struct http_flight *flight)
{
	curl_multi_remove_handle(flight->async->multi, flight->easy.curl);
	http_easy_deinit(&flight->easy);
	free(flight);
	return NULL;
}

static void come_back(CURL *curl, CURLcode code)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	struct err err = { 0 };
	struct http_easy *easy;
	struct http_flight *flight;
	http_async_fn fn;
	void *data;
	int r;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&easy);
	flight = (struct http_flight *)((char *)easy - offsetof(struct http_flight, easy));
	r = http_easy_finish(easy, code, &answer, &err);
	fn = flight->fn;
	data = flight->data;
	flight_free(flight);
	fn(data, r < 0 ? NULL : &answer, &err);
}

static void look_who_is_back(struct http_async *async)
{
	CURLMsg *message;
	int left;

	/* The message is gone with its handle. */
	while ((message = curl_multi_info_read(async->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			come_back(message->easy_handle, message->data.result);
}

static int on_ready(void *data, uint32_t events)
{
	struct watched *watched = data;
	struct http_async *async = watched->async;
	int running, mask = 0;

	mask |= events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0;
	mask |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	mask |= events & EPOLLERR ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(async->multi, watched->fd, mask, &running);
	look_who_is_back(async);
	return 0;
}

static int on_time(void *data)
{
	struct http_async *async = data;
	int running;

	async->timer = NULL;
	curl_multi_socket_action(async->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_who_is_back(async);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *data)
{
	struct http_async *async = data;

	(void)multi;
	async->timer = loop_remove(async->timer);
	return ms >= 0 && loop_add_time(async->loop, clock_monotonic_ns() + ms * NS_PER_MS, on_time,
					async, &async->timer, NULL) < 0
		       ? -1
		       : 0;
}

static void forget(struct watched *watched)
{
	struct watched **p = &watched->async->watched;

	while (*p != watched)
		p = &(*p)->next;
	*p = watched->next;
	loop_remove(watched->source);
	free(watched);
}

static int watch(CURL *curl, curl_socket_t fd, int what, void *data, void *known)
{
	struct http_async *async = data;
	struct watched *watched = known;
	uint32_t events =
		(what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			forget(watched);
		return 0;
	}
	if (watched)
		return loop_change_fd(watched->source, events) < 0 ? -1 : 0;
	watched = calloc(1, sizeof(*watched));
	if (!watched)
		return -1;
	*watched = (struct watched){ .async = async, .fd = fd };
	if (loop_add_fd(async->loop, fd, events, on_ready, watched, &watched->source, NULL) < 0) {
		free(watched);
		return -1;
	}
	watched->next = async->watched;
	async->watched = watched;
	curl_multi_assign(async->multi, fd, watched);
	return 0;
}

/* ---- requests ---- */

int http_async_start(struct http_async *async, const struct http_call *call, http_async_fn fn,
		     void *data, struct http_flight **ret, struct err *err)
{
	struct http_flight *flight = calloc(1, sizeof(*flight));
	int r;

	if (!flight)
		return err_set(err, ENOMEM, "ask %s", call->url);
	*flight = (struct http_flight){ .async = async, .fn = fn, .data = data };
	r = http_easy_init(&flight->easy, call, err);
	if (r < 0) {
		free(flight);
		return r;
	}
	if (curl_multi_add_handle(async->multi, flight->easy.curl) != CURLM_OK) {
		http_easy_deinit(&flight->easy);
		free(flight);
		return err_set(err, ENOMEM, "ask %s", call->url);
	}
	*ret = flight;
	return 0;
}

struct http_flight *http_flight_cancel(struct http_flight *flight)
{
	return flight ? flight_free(flight) : NULL;
}

/* ---- life ---- */

int http_async_new(struct loop *loop, struct http_async **ret, struct err *err)
{
	_cleanup_http_async_ struct http_async *async = calloc(1, sizeof(*async));

	if (!async || !(async->multi = curl_multi_init()))
		return err_set(err, ENOMEM, "start the HTTP client");
	async->loop = loop;
	curl_multi_setopt(async->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(async->multi, CURLMOPT_SOCKETDATA, async);
	curl_multi_setopt(async->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(async->multi, CURLMOPT_TIMERDATA, async);
	*ret = take_ptr(async);
	return 0;
}

struct http_async *http_async_free(struct http_async *async)
{
	if (!async)
		return NULL;
	if (async->multi)
		curl_multi_cleanup(async->multi);
	while (async->watched)
		forget(async->watched);
	loop_remove(async->timer);
	free(async);
	return NULL;
}
