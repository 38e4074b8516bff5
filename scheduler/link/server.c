/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "scheduler/link/joining.h"
#include "scheduler/link/sessions.h"
#include "scheduler/master/master.h"

#define NS_PER_MS INT64_C(1000000)
#define HOLD_MS 1000
#define BODY_MAX ((size_t)8 << 20)
#define STRANGER_BODY_MAX ((size_t)64 << 10) /* who joins sends a token and a request */
#define CONNECTIONS_MAX 16000
#define PER_ADDRESS 256
#define DESCRIPTORS_KEPT 256 /* not for connections */
#define IDLE_S 60
#define BACKLOG 1024
#define SYNC LINK_SYNC_PATH
#define OF_AGENTS "/v1/agent/"

struct link_server {
	struct api *api;
	struct link_joining *joining;
	struct http_server *http;
	struct sessions *sessions;
	bool closed;
};

/* ---- requests ---- */

static void serve(void *data, struct http_request *request)
{
	struct link_server *server = data;
	struct http_certificate who = { 0 };
	struct err err = { 0 };
	bool agent, sync = strcmp(http_path(request), SYNC) == 0;

	if (link_joining_serve_anybody(server->joining, request))
		return;
	if (http_certificate(request, &who, &err) < 0 ||
	    link_joining_check(server->joining, &who, &err) < 0) {
		api_answer_error(request, &err);
		return;
	}
	agent = strcmp(who.role, PKI_ROLE_AGENT) == 0;
	if (agent != (strncmp(http_path(request), OF_AGENTS, strlen(OF_AGENTS)) == 0))
		err_say(&err, EACCES, "%s: that is not for the %s %s", http_path(request), who.role,
			who.name);
	else if (sync && strcmp(http_method(request), "POST") != 0)
		err_say(&err, EINVAL, "%s: only POST", SYNC);
	if (err.code)
		api_answer_error(request, &err);
	else if (sync)
		sessions_serve(server->sessions, request, who.name);
	else
		api_serve(server->api, request);
}

/* ---- life ---- */

static int listen_at(const char *where, struct err *err)
{
	_cleanup_free_ char *host = strdup(where);
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *address = NULL;
	_cleanup_fd_ int fd = -1;
	char *port = host ? strrchr(host, ':') : NULL, *name = host;
	int r;

	if (!port)
		return err_say(err, EINVAL, "\"%s\" is no ADDRESS:PORT to listen at", where);
	*port++ = '\0';
	if (*name == '[' && name[strlen(name) - 1] == ']') {
		name[strlen(name) - 1] = '\0';
		name++;
	}
	if (getaddrinfo(*name ? name : NULL, port, &hints, &address) != 0)
		return err_say(err, EINVAL,
			       "\"%s\" is no ADDRESS:PORT to listen at; the address is a number",
			       where);
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -errno : 0;
	if (r == 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (r == 0 &&
	    (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0))
		r = -errno;
	freeaddrinfo(address);
	return r < 0 ? err_set(err, -r, "listen at %s", where) : take_fd(&fd);
}

/* An agent has two connections at most. */
static unsigned count_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return DESCRIPTORS_KEPT;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur <= (rlim_t)2 * DESCRIPTORS_KEPT)
		return DESCRIPTORS_KEPT;
	return limit.rlim_cur - DESCRIPTORS_KEPT < CONNECTIONS_MAX
		       ? (unsigned)limit.rlim_cur - DESCRIPTORS_KEPT
		       : CONNECTIONS_MAX;
}

int link_server_new(struct loop *loop, struct master *master,
		    const struct link_server_options *options, struct link_server **ret,
		    struct err *err)
{
	struct http_tls tls = { options->key, options->certificate, options->ca };
	struct http_limits limits = { .body_bytes = BODY_MAX,
				      .stranger_bytes = STRANGER_BODY_MAX,
				      .connections = count_connections(),
				      .idle_s = IDLE_S,
				      .per_address = PER_ADDRESS };
	int64_t hold_ns = (options->hold_ms ? options->hold_ms : HOLD_MS) * NS_PER_MS;
	struct link_server *server = calloc(1, sizeof(*server));
	int fd = listen_at(options->listen, err), r;

	if (!server || fd < 0) {
		free(server);
		cleanup_fd(&fd);
		return fd < 0 ? fd : err_set(err, ENOMEM, "listen at %s", options->listen);
	}
	server->api = options->api;
	server->joining = options->joining;
	server->sessions = sessions_new(loop, master, hold_ns);
	r = server->sessions ? http_server_new_tls(loop, fd, &limits, &tls, serve, server,
						   &server->http, err)
			     : err_set(err, ENOMEM, "listen at %s", options->listen);
	if (r < 0) {
		if (!server->sessions)
			close(fd);
		sessions_free(server->sessions);
		free(server);
		return r;
	}
	*ret = server;
	return 0;
}

struct link_server *link_server_close(struct link_server *server)
{
	if (!server || server->closed)
		return server;
	server->closed = true;
	sessions_close(server->sessions);
	server->http = http_server_free(server->http);
	return server;
}

struct link_server *link_server_free(struct link_server *server)
{
	if (!server)
		return NULL;
	link_server_close(server);
	sessions_free(server->sessions);
	free(server);
	return NULL;
}
