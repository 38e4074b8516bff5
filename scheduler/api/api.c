/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "scheduler/api/caller.h"
#include "scheduler/api/http.h"
#include "scheduler/master/master.h"

#define BODY_MAX ((size_t)8 << 20)
#define CONNECTIONS_MAX 256
#define IDLE_S 60
#define BACKLOG 64
#define JSON "application/json"

struct api {
	struct master *master;
	struct http_server *server;
	char *path;
	api_first_fn first;
	void *first_data;
};

/* ---- answers ---- */

static void answer_json(struct http_request *request, unsigned status, struct json_writer *w)
{
	size_t len = 0;
	char *text = json_writer_take(w, &len);

	http_answer(request, text ? status : 500, JSON, text, len);
}

static unsigned status_of(const struct err *err)
{
	switch (err->code) {
	case ENOENT:
		return 404;
	case EEXIST:
		return 409;
	case EINVAL:
	case ERANGE:
	case EBADMSG:
		return 400;
	case E2BIG:
	case EFBIG:
		return 413;
	case EDQUOT:
	case EPERM:
	case EACCES:
		return 403;
	case ENOTCONN:
		return 401;
	case ESTALE:
		return 409;
	case EAGAIN:
	case ENOSPC:
		return 503;
	default:
		return 500;
	}
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
	answer_json(request, status_of(err), w);
}

void api_answer_json(struct http_request *request, struct json_writer *w)
{
	answer_json(request, 200, w);
}

/* ---- routes ---- */

struct call {
	struct master *master;
	struct http_request *request;
	const struct caller *caller;
	const char *name; /* what the path has behind the route; NULL */
	struct json_writer *w;
};

static int get_jobs(const struct call *call, struct err *err)
{
	(void)err;
	master_write_jobs(call->master, call->w);
	return 0;
}

static int get_job(const struct call *call, struct err *err)
{
	return master_write_job(call->master, call->name, call->w, err);
}

static int get_machines(const struct call *call, struct err *err)
{
	(void)err;
	master_write_machines(call->master, call->w);
	return 0;
}

static int get_picture(const struct call *call, struct err *err)
{
	const char *machine = http_query(call->request, "machine");

	if (machine)
		return master_write_machine_picture(call->master, machine, call->w, err);
	master_write_picture(call->master, call->w);
	return 0;
}

static int post_job(const struct call *call, struct err *err)
{
	const char *name = http_query(call->request, "file"), *job;
	const char *text;
	size_t len;

	text = http_body(call->request, &len);
	err_try(master_submit(call->master, call->caller, name ? name : "job file", text, len, &job,
			      err));
	json_open_object(call->w);
	json_field_string(call->w, "job", job);
	json_close_object(call->w);
	return 0;
}

static int delete_job(const struct call *call, struct err *err)
{
	const char *purge = http_query(call->request, "purge");

	err_try(master_stop(call->master, call->caller, call->name,
			    purge && strcmp(purge, "true") == 0, err));
	json_open_object(call->w);
	json_field_string(call->w, "job", call->name);
	json_close_object(call->w);
	return 0;
}

static int get_health(const struct call *call, struct err *err)
{
	(void)err;
	json_open_object(call->w);
	json_field_bool(call->w, "ok", true);
	json_close_object(call->w);
	return 0;
}

static const struct route {
	const char *method, *path; /* ends with '/': a name follows */
	int (*fn)(const struct call *call, struct err *err);
} routes[] = {
	{ "GET", "/healthz", get_health },     { "GET", "/v1/jobs", get_jobs },
	{ "GET", "/v1/jobs/", get_job },       { "GET", "/v1/machines", get_machines },
	{ "GET", "/v1/picture", get_picture }, { "POST", "/v1/jobs", post_job },
	{ "DELETE", "/v1/jobs/", delete_job },
};

static bool matches(const struct route *route, const char *path, const char **ret_name)
{
	size_t len = strlen(route->path);

	*ret_name = NULL;
	if (route->path[len - 1] != '/')
		return strcmp(route->path, path) == 0;
	*ret_name = path + len;
	return strncmp(route->path, path, len) == 0 && path[len] && !strchr(path + len, '/');
}

static void run_route(struct api *api, const struct route *route, struct http_request *request,
		      const char *name)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	struct caller caller;
	struct call call = { api->master, request, &caller, name, w };
	struct err err = { 0 };

	api_caller(request, &caller);
	if (!w)
		http_answer(request, 500, NULL, NULL, 0);
	else if (route->fn(&call, &err) < 0)
		api_answer_error(request, &err);
	else
		answer_json(request, 200, w);
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
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		const char *name;

		if (!matches(&routes[i], http_path(request), &name))
			continue;
		path_known = true;
		if (strcmp(routes[i].method, http_method(request)) == 0) {
			run_route(api, &routes[i], request, name);
			return;
		}
	}
	err_say(&err, ENOENT, "%s %s: %s", http_method(request), http_path(request),
		path_known ? "this cannot be done here" : "there is nothing here");
	api_answer_error(request, &err);
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
	if (somebody_listens(&address))
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

	if (!api || !(api->path = strdup(socket_path))) {
		close(listen_fd);
		return err_set(err, ENOMEM, "start the API");
	}
	api->master = master;
	err_try(http_server_new(loop, listen_fd, &limits, serve, api, &api->server, err));
	*ret = take_ptr(api);
	return 0;
}

struct api *api_free(struct api *api)
{
	if (!api)
		return NULL;
	http_server_free(api->server);
	if (api->path)
		unlink(api->path);
	free(api->path);
	free(api);
	return NULL;
}
