/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/dashboard/dashboard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "scheduler/api/api.h"
#include "scheduler/api/http.h"

#define TOKEN_BYTES 32
#define TOKEN_SIZE (2 * TOKEN_BYTES + 1)
#define BODY_MAX 4096
#define CONNECTIONS_MAX 32
#define IDLE_S 60
#define BACKLOG 16
#define JSON "application/json"

struct dashboard {
	struct api *api;
	struct http_server *server;
	char *address_path;
	char token[TOKEN_SIZE];
	uint16_t port;
};

/* ---- the page ---- */

extern const char page_index_start[], page_index_end[];
extern const char page_app_start[], page_app_end[];
extern const char page_style_start[], page_style_end[];

static const struct page_file {
	const char *path, *type, *start, *end;
} page_files[] = {
	{ "/", "text/html; charset=utf-8", page_index_start, page_index_end },
	{ "/app.js", "text/javascript; charset=utf-8", page_app_start, page_app_end },
	{ "/style.css", "text/css; charset=utf-8", page_style_start, page_style_end },
};

static void set_headers(struct http_request *request)
{
	http_set_header(
		request, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
		"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	http_set_header(request, "X-Content-Type-Options", "nosniff");
	http_set_header(request, "Referrer-Policy", "no-referrer");
	http_set_header(request, "Cross-Origin-Resource-Policy", "same-origin");
	http_set_header(request, "Cache-Control", "no-store");
}

static void answer_page(struct http_request *request, const struct page_file *file)
{
	size_t len = (size_t)(file->end - file->start);
	char *copy = malloc(len);

	if (copy)
		memcpy(copy, file->start, len);
	http_answer(request, copy ? 200 : 500, file->type, copy, copy ? len : 0);
}

static void refuse(struct http_request *request, unsigned status, const char *why)
{
	char *body = NULL;
	int len = asprintf(&body, "{\"error\":\"%s\"}\n", why);

	http_answer(request, status, JSON, len < 0 ? NULL : body, len < 0 ? 0 : (size_t)len);
}

/* ---- who asks ---- */

/* "127.0.0.1:PORT" or "localhost:PORT"; a browser leaves :80 out. */
static bool is_this_host(const struct dashboard *dashboard, const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost" };
	char want[32];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(want, sizeof(want), "%s:%u", names[i], dashboard->port);
		if (strcmp(host, want) == 0 ||
		    (dashboard->port == 80 && strcmp(host, names[i]) == 0))
			return true;
	}
	return false;
}

static bool is_foreign(const struct dashboard *dashboard, struct http_request *request)
{
	static const char scheme[] = "http://";
	const char *host = http_header(request, "Host"), *origin = http_header(request, "Origin");

	if (!host || !is_this_host(dashboard, host))
		return true;
	return origin && (strncmp(origin, scheme, strlen(scheme)) != 0 ||
			  strcmp(origin + strlen(scheme), host) != 0);
}

/* Takes the same time whatever is wrong with it. */
static bool has_token(const struct dashboard *dashboard, struct http_request *request)
{
	static const char scheme[] = "Bearer ";
	const char *text = http_header(request, "Authorization");
	unsigned differs = 0;

	if (!text || strncmp(text, scheme, strlen(scheme)) != 0)
		return false;
	text += strlen(scheme);
	if (strlen(text) != TOKEN_SIZE - 1)
		return false;
	for (size_t i = 0; i < TOKEN_SIZE - 1; i++)
		differs |= (unsigned)(text[i] ^ dashboard->token[i]);
	return !differs;
}

/* Of the API only what the page shows: no backup, no secrets' names. */
static bool is_shown(const char *path)
{
	static const char *const shown[] = { "/v1/picture", "/v1/jobs", "/v1/events" };
	static const char job[] = "/v1/jobs/";

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (strcmp(path, shown[i]) == 0)
			return true;
	return strncmp(path, job, strlen(job)) == 0 && !strchr(path + strlen(job), '/');
}

static void serve(void *data, struct http_request *request)
{
	struct dashboard *dashboard = data;
	const char *path = http_path(request);

	set_headers(request);
	if (is_foreign(dashboard, request)) {
		refuse(request, 403,
		       "the dashboard is asked as 127.0.0.1 or localhost, by its own page");
		return;
	}
	if (strcmp(http_method(request), "GET") != 0) {
		refuse(request, 405, "the dashboard changes nothing; use ctr");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(page_files); i++)
		if (strcmp(path, page_files[i].path) == 0) {
			answer_page(request, &page_files[i]);
			return;
		}
	if (!is_shown(path))
		refuse(request, 404, "there is nothing here");
	else if (!has_token(dashboard, request))
		refuse(request, 401,
		       "the token is missing or wrong; ctr cell dashboard prints the address");
	else
		api_serve(dashboard->api, request);
}

/* ---- life ---- */

static int listen_here(uint16_t *port, struct err *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(*port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return err_set(err, errno, "listen at 127.0.0.1:%u for the dashboard", *port);
	*port = ntohs(address.sin_port);
	return take_fd(&fd);
}

static int make_token(char token[static TOKEN_SIZE], struct err *err)
{
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_set(err, errno, "make the dashboard's token");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int tell_address(const struct dashboard *dashboard, struct err *err)
{
	char text[64 + TOKEN_SIZE];
	int len = snprintf(text, sizeof(text), "http://127.0.0.1:%u/#%s\n", dashboard->port,
			   dashboard->token);

	return file_replace(AT_FDCWD, dashboard->address_path, text, (size_t)len, 0600, false, err);
}

int dashboard_new(struct loop *loop, struct api *api, uint16_t port, const char *address_path,
		  struct dashboard **ret, struct err *err)
{
	static const struct http_limits limits = { .body_bytes = BODY_MAX,
						   .connections = CONNECTIONS_MAX,
						   .idle_s = IDLE_S };
	_cleanup_dashboard_ struct dashboard *dashboard = calloc(1, sizeof(*dashboard));
	int fd;

	if (!dashboard)
		return err_set(err, ENOMEM, "start the dashboard");
	dashboard->api = api;
	dashboard->port = port;
	err_try(make_token(dashboard->token, err));
	fd = listen_here(&dashboard->port, err);
	if (fd < 0)
		return fd;
	err_try(http_server_new(loop, fd, &limits, serve, dashboard, &dashboard->server, err));
	dashboard->address_path = strdup(address_path);
	if (!dashboard->address_path)
		return err_set(err, ENOMEM, "start the dashboard");
	err_try(tell_address(dashboard, err));
	*ret = take_ptr(dashboard);
	return 0;
}

struct dashboard *dashboard_free(struct dashboard *dashboard)
{
	if (!dashboard)
		return NULL;
	http_server_free(dashboard->server);
	if (dashboard->address_path)
		unlink(dashboard->address_path);
	free(dashboard->address_path);
	explicit_bzero(dashboard->token, sizeof(dashboard->token));
	free(dashboard);
	return NULL;
}

uint16_t dashboard_port(const struct dashboard *dashboard)
{
	return dashboard->port;
}
