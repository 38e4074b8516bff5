/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "scheduler/api/http_peer.h"
#include "scheduler/api/http_struct.h"

#define NS_PER_MS INT64_C(1000000)

/* ---- the daemon under the loop ---- */

static int on_time(void *data);

int http_server_wake(struct http_server *server, int64_t in_ms)
{
	server->timer = loop_remove(server->timer);
	return loop_add_time(server->loop, clock_monotonic_ns() + in_ms * NS_PER_MS, on_time,
			     server, &server->timer, NULL);
}

/* libmicrohttpd says itself when it wants to be called again. */
static int run(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	server->resumed = false;
	MHD_run(server->daemon);
	server->timer = loop_remove(server->timer);
	if (server->resumed)
		return http_server_wake(server, 0);
	return MHD_get_timeout(server->daemon, &ms) == MHD_YES
		       ? http_server_wake(server, (int64_t)ms)
		       : 0;
}

static int on_time(void *data)
{
	struct http_server *server = data;

	server->timer = NULL;
	return run(server);
}

static int on_ready(void *data, uint32_t events)
{
	(void)events;
	return run(data);
}

/* ---- a request ---- */

static void refuse(struct http_request *request, unsigned status, const char *sentence)
{
	char *body = NULL;
	int len = asprintf(&body, "{\"error\":\"%s\"}\n", sentence);

	http_answer(request, status, "application/json", len < 0 ? NULL : body,
		    len < 0 ? 0 : (size_t)len);
}

/* What a stranger sends is held before anybody has asked who it is. */
static size_t find_body_max(const struct http_request *request)
{
	const struct http_limits *limits = &request->server->limits;
	struct http_certificate who;

	return limits->stranger_bytes && http_certificate(request, &who, NULL) < 0
		       ? limits->stranger_bytes
		       : limits->body_bytes;
}

/* Grows by halves, up to the limit; a NUL is kept behind it. */
static int append(struct http_request *request, const char *data, size_t len)
{
	size_t need = request->body_len + len + 1;

	if (!request->body_max)
		request->body_max = find_body_max(request);
	if (need > request->body_max + 1)
		return -E2BIG;
	if (need > request->body_size) {
		size_t size = need + need / 2;
		char *more = realloc(request->body, size);

		if (!more)
			return -ENOMEM;
		request->body = more;
		request->body_size = size;
	}
	memcpy(request->body + request->body_len, data, len);
	request->body_len += len;
	request->body[request->body_len] = '\0';
	return 0;
}

static enum MHD_Result begin(struct http_server *server, struct MHD_Connection *connection,
			     const char *path, const char *method, void **ret)
{
	struct http_request *request = calloc(1, sizeof(*request));

	if (!request || !(request->path = strdup(path))) {
		free(request);
		return MHD_NO;
	}
	request->server = server;
	request->connection = connection;
	request->method = method;
	*ret = request;
	return MHD_YES;
}

static enum MHD_Result send_response(struct http_request *request)
{
	enum MHD_Result r;

	if (!request->response) /* out of memory: the connection is closed */
		return MHD_NO;
	r = MHD_queue_response(request->connection, request->status, request->response);
	MHD_destroy_response(request->response);
	request->response = NULL;
	return r;
}

static void dispatch(struct http_request *request)
{
	struct http_server *server = request->server;

	request->dispatched = request->inside = true;
	if (request->too_large)
		refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request's body is too large");
	else
		server->fn(server->data, request);
	request->inside = false;
}

static enum MHD_Result on_access(void *data, struct MHD_Connection *connection, const char *path,
				 const char *method, const char *version, const char *upload,
				 size_t *upload_len, void **state)
{
	struct http_request *request = *state;

	(void)version;
	if (!request)
		return begin(data, connection, path, method, state);
	if (*upload_len) {
		int r = request->too_large ? 0 : append(request, upload, *upload_len);

		if (r == -ENOMEM)
			return MHD_NO;
		request->too_large |= r < 0;
		*upload_len = 0;
		return MHD_YES;
	}
	if (!request->dispatched)
		dispatch(request);
	if (request->answered)
		return send_response(request);
	request->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct http_request *request = *state;

	(void)data;
	(void)connection;
	(void)code;
	if (!request)
		return;
	if (request->stream.gone)
		request->stream.gone(request->stream.data);
	if (request->response)
		MHD_destroy_response(request->response);
	free(request->path);
	free(request->body);
	free(request);
	*state = NULL;
}

/* ---- life ---- */

/* Its own words are for developers. */
static void on_message(void *data, const char *fmt, va_list args)
{
	char text[256];

	(void)data;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http: %s", text);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	(void)data;
	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = http_peer_state_new();
	else
		*context = http_peer_state_free(*context);
}

static struct MHD_Daemon *start(struct http_server *server, int listen_fd,
				const struct http_tls *tls)
{
	const struct http_limits *limits = &server->limits;
	struct MHD_OptionItem items[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)(tls ? tls->key : NULL) },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0,
		  (void *)(uintptr_t)(tls ? tls->certificate : NULL) },
		{ MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)(tls ? tls->ca : NULL) },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		  (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			(tls ? MHD_USE_TLS : 0),
		0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
		MHD_OPTION_CONNECTION_LIMIT, limits->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		limits->idle_s, MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits->per_address,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(16 * 1024),
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls ? items : &items[4],
		MHD_OPTION_END);
}

int http_server_new(struct loop *loop, int listen_fd, const struct http_limits *limits, http_fn fn,
		    void *data, struct http_server **ret, struct err *err)
{
	return http_server_new_tls(loop, listen_fd, limits, NULL, fn, data, ret, err);
}

int http_server_new_tls(struct loop *loop, int listen_fd, const struct http_limits *limits,
			const struct http_tls *tls, http_fn fn, void *data,
			struct http_server **ret, struct err *err)
{
	_cleanup_http_server_ struct http_server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	int r;

	if (!server) {
		close(listen_fd);
		return err_set(err, ENOMEM, "start the HTTP server");
	}
	*server = (struct http_server){ .loop = loop, .limits = *limits, .fn = fn, .data = data };
	server->daemon = start(server, listen_fd, tls);
	if (!server->daemon) {
		close(listen_fd);
		return err_say(err, EIO, "the HTTP server cannot be started");
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? loop_add_fd(loop, info->epoll_fd, EPOLLIN, on_ready, server, &server->source,
			       err)
		 : err_say(err, ENOSYS, "libmicrohttpd was built without epoll");
	if (r < 0)
		return r;
	*ret = take_ptr(server);
	return 0;
}

struct http_server *http_server_free(struct http_server *server)
{
	if (!server)
		return NULL;
	loop_remove(server->source);
	loop_remove(server->timer);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	free(server);
	return NULL;
}
