/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/api.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "scheduler/api/caller.h"
#include "scheduler/api/http.h"
#include "scheduler/api/rate.h"
#include "scheduler/api/streams.h"
#include "scheduler/api/wait.h"
#include "scheduler/core/map.h"
#include "scheduler/master/master.h"
#include "scheduler/master/status.h"

#define BODY_MAX ((size_t)8 << 20)
#define CONNECTIONS_MAX 256
#define IDLE_S 60
#define BACKLOG 64
#define STAYS_TRIES 30
#define STAYS_POLL_MS 100
#define JSON "application/json"
#define TOO_OFTEN "{\"error\":\"too many requests; ask less often\"}\n"

struct api {
	struct master *master;
	struct http_server *server;
	char *path;
	api_first_fn first;
	void *first_data;
	struct waits *waits;
	struct streams *streams;
	struct rate rate;
};

/* ---- answers ---- */

static void answer_json(struct http_request *request, unsigned status, struct json_writer *w)
{
	size_t len = 0;
	char *text = json_writer_take(w, &len);

	http_answer(request, text ? status : 500, JSON, text, len);
}

void api_answer_error(struct http_request *request, const struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w) {
		http_answer(request, 500, NULL, NULL, 0);
		return;
	}
	json_open_object(w);
	json_field_string(w, "error", err->text);
	json_close_object(w);
	answer_json(request, status_of_error(err), w);
}

void api_answer_json(struct http_request *request, struct json_writer *w)
{
	answer_json(request, 200, w);
}

/* ---- routes ---- */

struct waits *api_waits(struct api *api)
{
	return api->waits;
}

struct streams *api_streams(struct api *api)
{
	return api->streams;
}

void api_run(const struct call *call, int (*fn)(const struct call *call, struct err *err))
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	struct call with = *call;
	struct err err = { 0 };
	int r;

	with.w = w;
	if (!w) {
		http_answer(call->request, 500, NULL, NULL, 0);
		return;
	}
	r = fn(&with, &err);
	if (r < 0)
		api_answer_error(call->request, &err);
	else if (r == 0)
		answer_json(call->request, 200, w);
}

static void run_route(struct api *api, const struct route *route, struct http_request *request,
		      const char *name)
{
	struct caller caller;
	struct call call = { .api = api,
			     .master = api->master,
			     .request = request,
			     .caller = &caller,
			     .name = name };
	uint64_t who;

	api_caller(request, &caller);
	/* What carries a caller's streams takes nothing from what the caller asks itself. */
	who = hash_bytes(caller.name, strlen(caller.name),
			 strncmp(route->path, "/v1/agent/", strlen("/v1/agent/")) == 0);
	if (rate_take(&api->rate, who, clock_monotonic_ns()))
		api_run(&call, route->fn);
	else
		http_answer(request, 429, JSON, strdup(TOO_OFTEN), strlen(TOO_OFTEN));
}

void api_set_first(struct api *api, api_first_fn fn, void *data)
{
	api->first = fn;
	api->first_data = data;
}

void api_serve(struct api *api, struct http_request *request)
{
	struct err err = { 0 };
	bool path_known = false;

	if (api->first && api->first(api->first_data, request))
		return;
	for (const struct route *route = routes; route->method; route++) {
		char name[ROUTE_NAME_SIZE];

		if (!route_matches(route, http_path(request), name))
			continue;
		path_known = true;
		if (strcmp(route->method, http_method(request)) == 0) {
			run_route(api, route, request, name);
			return;
		}
	}
	err_say(&err, ENOENT, "%s %s: %s", http_method(request), http_path(request),
		path_known ? "this cannot be done here" : "there is nothing here");
	api_answer_error(request, &err);
}

void api_cut_off(struct api *api, const char *name, const char *sentence)
{
	streams_cut_off(api->streams, name, sentence);
	waits_cut_off(api->waits, name, sentence);
}

static void serve(void *data, struct http_request *request)
{
	api_serve(data, request);
}

/* ---- the socket ---- */

static bool somebody_listens(const struct sockaddr_un *address)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

/* Of a celld that was killed a worker may hold the socket a moment longer: nothing tells when it is
 * gone. */
static bool somebody_stays(const struct sockaddr_un *address)
{
	for (int i = 0; i < STAYS_TRIES; i++) {
		if (!somebody_listens(address))
			return false;
		poll(NULL, 0, STAYS_POLL_MS);
	}
	return true;
}

int api_listen(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_say(err, ENAMETOOLONG,
			       "%s is too long for a socket's path (%zu bytes at most)", path,
			       sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	if (fd < 0)
		return err_set(err, errno, "listen at %s", path);
	if (somebody_stays(&address))
		return err_say(err, EADDRINUSE, "%s: another celld is at work there", path);
	unlink(path);
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0 || listen(fd, BACKLOG) < 0)
		return err_set(err, errno, "listen at %s", path);
	return take_fd(&fd);
}

int api_new(struct loop *loop, struct master *master, int listen_fd, const char *socket_path,
	    struct api **ret, struct err *err)
{
	static const struct http_limits limits = { .body_bytes = BODY_MAX,
						   .connections = CONNECTIONS_MAX,
						   .idle_s = IDLE_S };
	_cleanup_api_ struct api *api = calloc(1, sizeof(*api));
	int r;

	if (!api || !(api->path = strdup(socket_path))) {
		close(listen_fd);
		return err_set(err, ENOMEM, "start the API");
	}
	api->master = master;
	r = waits_new(loop, master, &api->waits, err);
	if (r == 0)
		r = streams_new(loop, master, &api->streams, err);
	if (r < 0) {
		close(listen_fd);
		return r;
	}
	err_try(http_server_new(loop, listen_fd, &limits, serve, api, &api->server, err));
	*ret = take_ptr(api);
	return 0;
}

void api_close(struct api *api)
{
	if (api && api->waits)
		waits_close(api->waits);
	if (api && api->streams)
		streams_close(api->streams);
}

struct api *api_free(struct api *api)
{
	if (!api)
		return NULL;
	api_close(api);
	http_server_free(api->server);
	waits_free(api->waits);
	streams_free(api->streams);
	if (api->path)
		unlink(api->path);
	free(api->path);
	free(api);
	return NULL;
}
