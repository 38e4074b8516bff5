/* SPDX-License-Identifier: Apache-2.0 */
/* A request: what was asked, by whom, and its answer, which may come later or in pieces. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scheduler/api/http_peer.h"
#include "scheduler/api/http_struct.h"

#define STREAM_CHUNK ((size_t)16 * 1024)

/* ---- what was asked ---- */

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

const char *http_query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_body(const struct http_request *request, size_t *ret_len)
{
	*ret_len = request->body_len;
	return request->body ? request->body : "";
}

int http_peer(const struct http_request *request, uid_t *ret_uid, pid_t *ret_pid)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int domain;
	socklen_t domain_len = sizeof(domain);

	if (!info ||
	    getsockopt(info->connect_fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) < 0 ||
	    domain != AF_UNIX ||
	    getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -ENOTCONN;
	*ret_uid = peer.uid;
	*ret_pid = peer.pid;
	return 0;
}

int http_certificate(const struct http_request *request, struct http_certificate *ret,
		     struct err *err)
{
	const union MHD_ConnectionInfo *session =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const union MHD_ConnectionInfo *context =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (!session || !session->tls_session || !context || !context->socket_context)
		return err_say(err, ENOTCONN, "this is asked for over TLS");
	return http_peer_certificate(context->socket_context, session->tls_session, ret, err);
}

/* ---- the answer ---- */

void http_set_header(struct http_request *request, const char *name, const char *value)
{
	if (request->header_count == HTTP_HEADERS_MAX)
		return;
	request->headers[request->header_count].name = name;
	request->headers[request->header_count++].value = value;
}

static void resume(struct http_request *request)
{
	request->suspended = false;
	MHD_resume_connection(request->connection);
	/* Nothing of its epoll set tells of that. */
	request->server->resumed = true;
	http_server_wake(request->server, 0);
}

static void answer(struct http_request *request, unsigned status, const char *content_type,
		   struct MHD_Response *response)
{
	if (response && content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	for (unsigned i = 0; response && i < request->header_count; i++)
		MHD_add_response_header(response, request->headers[i].name,
					request->headers[i].value);
	request->response = response;
	request->status = status;
	request->answered = true;
	if (!request->inside && request->suspended)
		resume(request);
}

void http_answer(struct http_request *request, unsigned status, const char *content_type,
		 char *body, size_t len)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);

	if (!response)
		free(body);
	answer(request, status, content_type, response);
}

void http_answer_file(struct http_request *request, const char *content_type, int fd, size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_fd64(len, fd);

	if (!response)
		close(fd);
	answer(request, MHD_HTTP_OK, content_type, response);
}

/* ---- streams ---- */

static ssize_t on_stream_read(void *data, uint64_t at, char *buf, size_t size)
{
	struct http_request *request = data;
	ssize_t n = request->stream.read(request->stream.data, buf, size);

	(void)at;
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		request->suspended = true;
		MHD_suspend_connection(request->connection);
	}
	return n;
}

void http_answer_stream(struct http_request *request, const char *content_type,
			const struct http_stream *stream)
{
	struct MHD_Response *response;

	request->stream = *stream;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_CHUNK, on_stream_read,
						     request, NULL);
	if (stream->patient) {
		MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
		http_set_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
	}
	answer(request, MHD_HTTP_OK, content_type, response);
}

void http_stream_wake(struct http_request *request)
{
	if (request->suspended)
		resume(request);
}

void http_stream_hurry(struct http_request *request)
{
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  request->server->limits.idle_s);
}
