/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server on an event loop, over libmicrohttpd: one function gets each request when it
 * is whole, and answers at once or later. Nobody is trusted before that function has looked: what
 * is too large, too slow or too much never gets there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

struct loop;
struct http_server;
struct http_request;

struct http_limits {
	size_t body_bytes;
	size_t stranger_bytes; /* of a body whose sender shows no good certificate; 0: as others */
	unsigned connections, idle_s;
	unsigned per_address; /* connections of one address; 0: any number */
};

/* Of a server over TLS, in PEM. Clients are asked for a certificate, and need not have one. */
struct http_tls {
	const char *key, *certificate;
	const char *ca; /* whose signature counts on those of the clients */
};

#define HTTP_ROLE_SIZE 16
#define HTTP_NAME_SIZE 128

/* Who a client is, by its certificate: organizational unit and common name. */
struct http_certificate {
	char role[HTTP_ROLE_SIZE], name[HTTP_NAME_SIZE];
	int64_t since_s; /* from when on it holds */
};

/*
 * The request is answered by http_answer(), inside the function or after it; its pointers are good
 * until then. A client that goes while it waits is noticed when it is answered, so no answer should
 * take for ever. data is http_server_new()'s.
 */
typedef void (*http_fn)(void *data, struct http_request *request);

/* listen_fd: listening and non-blocking, from now on the server's. */
int http_server_new(struct loop *loop, int listen_fd, const struct http_limits *limits, http_fn fn,
		    void *data, struct http_server **ret, struct err *err);
/* tls: NULL, or it need not outlive this. */
int http_server_new_tls(struct loop *loop, int listen_fd, const struct http_limits *limits,
			const struct http_tls *tls, http_fn fn, void *data,
			struct http_server **ret, struct err *err);
/* Every request must have been answered. */
struct http_server *http_server_free(struct http_server *server);

const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);
/* Of the query string, decoded; NULL where there is none. */
const char *http_query(const struct http_request *request, const char *name);
const char *http_header(const struct http_request *request, const char *name);
/* NUL-terminated. */
const char *http_body(const struct http_request *request, size_t *ret_len);
/* Of a unix socket's other end; -ENOTCONN for any other socket. */
int http_peer(const struct http_request *request, uid_t *ret_uid, pid_t *ret_pid);

/* Before http_answer(); both texts outlive the answer. */
#define HTTP_HEADERS_MAX 8
void http_set_header(struct http_request *request, const char *name, const char *value);
/* Of a TLS client's certificate. -ENOTCONN: it has shown none, or this is no TLS; -EACCES: it is
 * none of the CA's, or its time is over. */
int http_certificate(const struct http_request *request, struct http_certificate *ret,
		     struct err *err);

/* Takes the body over (from malloc; may be NULL). The request is gone after it. */
void http_answer(struct http_request *request, unsigned status, const char *content_type,
		 char *body, size_t len);

/* A file's content, from its start; the descriptor is taken over. */
void http_answer_file(struct http_request *request, const char *content_type, int fd, size_t len);

/*
 * An answer that goes on, in chunks. read() fills buf and returns how many bytes; 0: nothing now,
 * http_stream_wake() asks again; <0: that was all. gone() is called once, when the client has left
 * or all was said: the request is gone then.
 */
struct http_stream {
	ssize_t (*read)(void *data, char *buf, size_t size);
	void (*gone)(void *data);
	void *data;
	/* A client that reads nothing is not cut off after limits.idle_s: it may be a person at a
	 * page. One that has vanished is TCP's to notice, for which something is to be said from
	 * time to time. The connection is of no use after it. */
	bool patient;
};
/* Inside http_fn only. */
void http_answer_stream(struct http_request *request, const char *content_type,
			const struct http_stream *stream);
void http_stream_wake(struct http_request *request);
/* Patience is over: a client that reads nothing is cut off after limits.idle_s from now on. */
void http_stream_hurry(struct http_request *request);

CLEANUP_DEFINE(struct http_server, http_server, http_server_free);
#define _cleanup_http_server_ _cleanup_(cleanup_http_server)
