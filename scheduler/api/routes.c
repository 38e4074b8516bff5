/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/api/api.h"
#include "scheduler/api/routes_owner.h"
#include "scheduler/api/streams.h"
#include "scheduler/api/wait.h"
#include "scheduler/master/master.h"

#define ALL UINT32_MAX /* tasks of a job */
#define DEADLINE_MAX_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

extern const char openapi_start[] __attribute__((visibility("hidden")));
extern const char openapi_end[] __attribute__((visibility("hidden")));

const char *route_openapi(size_t *ret_len)
{
	*ret_len = (size_t)(openapi_end - openapi_start);
	return openapi_start;
}

/* ---- what comes with a request ---- */

static bool is_true(const struct call *call, const char *name)
{
	const char *text = http_query(call->request, name);

	return text && strcmp(text, "true") == 0;
}

/* The body, which is a JSON object; nothing at all is an empty one. */
static int read_body(const struct call *call, struct json_doc **ret, struct err *err)
{
	size_t len;
	const char *text = http_body(call->request, &len);
	int r = json_parse(len ? text : "{}", len ? len : 2, ret, err);
	struct json_node root;

	if (r < 0)
		return err_add(err, "the request");
	root = json_root(*ret);
	return json_kind(&root) == JSON_OBJECT
		       ? 0
		       : err_say(err, EINVAL, "the request's body is no object");
}

static int answer_text(const struct call *call, const char *type, char *text, size_t len)
{
	http_answer(call->request, text ? 200 : 500, type, text, len);
	return ROUTE_ANSWERED;
}

static int done(const struct call *call, const char *what)
{
	json_open_object(call->w);
	json_field_string(call->w, what, call->name);
	json_close_object(call->w);
	return 0;
}

/* ---- jobs ---- */

static int write_jobs(const struct call *call, struct err *err)
{
	(void)err;
	master_write_jobs(call->master, call->w);
	return 0;
}

static int get_jobs(const struct call *call, struct err *err)
{
	int r = waits_hold(api_waits(call->api), call, NULL, write_jobs, err);

	return r ? r : write_jobs(call, err);
}

static int write_job(const struct call *call, struct err *err)
{
	return master_write_job(call->master, call->name, call->w, err);
}

static int write_job_head(const struct call *call, struct err *err)
{
	return master_write_job_head(call->master, call->name, call->w, err);
}

static int get_job(const struct call *call, struct err *err)
{
	const char *tasks = http_query(call->request, "tasks");
	int (*fn)(const struct call *, struct err *) =
		tasks && strcmp(tasks, "false") == 0 ? write_job_head : write_job;
	int r = waits_hold(api_waits(call->api), call, call->name, fn, err);

	return r ? r : fn(call, err);
}

static int get_history(const struct call *call, struct err *err)
{
	return master_write_history(call->master, call->name, call->w, err);
}

static int post_job(const struct call *call, struct err *err)
{
	const char *name = http_query(call->request, "file"), *job, *text;
	size_t len;

	text = http_body(call->request, &len);
	err_try(master_submit_once(call->master, call->caller,
				   http_header(call->request, "Idempotency-Key"),
				   name ? name : "job file", text, len, &job, err));
	json_open_object(call->w);
	json_field_string(call->w, "job", job);
	json_close_object(call->w);
	return 0;
}

static int post_plan(const struct call *call, struct err *err)
{
	const char *name = http_query(call->request, "file"), *text;
	size_t len;

	text = http_body(call->request, &len);
	return master_plan(call->master, call->caller, name ? name : "job file", text, len, call->w,
			   err);
}

static int delete_job(const struct call *call, struct err *err)
{
	err_try(master_stop(call->master, call->caller, call->name, is_true(call, "purge"), err));
	return done(call, "job");
}

static int post_scale(const struct call *call, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	uint32_t count = 0;
	bool plan = false;

	err_try(read_body(call, &doc, err));
	root = json_root(doc);
	err_try(json_need(json_get_u32(&root, "count", &count, err), &root, "count", err));
	err_try(json_get_bool(&root, "plan", &plan, err));
	if (plan)
		return master_plan_scale(call->master, call->caller, call->name, count, call->w,
					 err);
	err_try(master_scale(call->master, call->caller, call->name, count, err));
	return done(call, "job");
}

static int post_resize(const struct call *call, struct err *err)
{
	struct master_resize resize = { .index = ALL };
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	err_try(read_body(call, &doc, err));
	root = json_root(doc);
	err_try(json_get_u32(&root, "index", &resize.index, err));
	err_try(json_get_i64(&root, "cpu_milli", &resize.cpu_milli, err));
	err_try(json_get_i64(&root, "memory_bytes", &resize.memory_bytes, err));
	err_try(json_get_bool(&root, "plan", &resize.plan, err));
	return master_resize(call->master, call->caller, call->name, &resize, call->w, err);
}

static int post_restart(const struct call *call, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;
	uint32_t index = ALL;

	err_try(read_body(call, &doc, err));
	root = json_root(doc);
	err_try(json_get_u32(&root, "index", &index, err));
	err_try(master_restart(call->master, call->caller, call->name, index, err));
	return done(call, "job");
}

/* ---- alloc sets ---- */

static int get_allocs(const struct call *call, struct err *err)
{
	(void)err;
	master_write_allocs(call->master, call->w);
	return 0;
}

static int get_alloc(const struct call *call, struct err *err)
{
	return master_write_alloc(call->master, call->name, call->w, err);
}

/* ---- machines ---- */

static int write_machines(const struct call *call, struct err *err)
{
	(void)err;
	master_write_machines(call->master, call->w);
	return 0;
}

static int get_machines(const struct call *call, struct err *err)
{
	int r = waits_hold(api_waits(call->api), call, NULL, write_machines, err);

	return r ? r : write_machines(call, err);
}

static int write_picture(const struct call *call, struct err *err)
{
	const char *machine = http_query(call->request, "machine");

	if (machine)
		return master_write_machine_picture(call->master, machine, call->w, err);
	master_write_picture(call->master, call->w);
	return 0;
}

static int get_machine(const struct call *call, struct err *err)
{
	return master_write_machine(call->master, call->name, call->w, err);
}

static int get_picture(const struct call *call, struct err *err)
{
	int r = waits_hold(api_waits(call->api), call, NULL, write_picture, err);

	return r ? r : write_picture(call, err);
}

static int post_cordon(const struct call *call, struct err *err)
{
	err_try(master_machine_cordon(call->master, call->caller, call->name, err));
	return done(call, "machine");
}

static int post_uncordon(const struct call *call, struct err *err)
{
	err_try(master_machine_uncordon(call->master, call->caller, call->name, err));
	return done(call, "machine");
}

static int post_drain(const struct call *call, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	int64_t deadline_ms = -1;
	struct json_node root;

	err_try(read_body(call, &doc, err));
	root = json_root(doc);
	err_try(json_get_range(&root, "deadline_ms", 0, DEADLINE_MAX_MS, &deadline_ms, err));
	err_try(master_machine_drain(call->master, call->caller, call->name, deadline_ms, err));
	return done(call, "machine");
}

/* ---- the cell ---- */

static int write_cell(const struct call *call, struct err *err)
{
	(void)err;
	master_write_cell(call->master, call->w);
	return 0;
}

static int get_cell(const struct call *call, struct err *err)
{
	int r = waits_hold(api_waits(call->api), call, NULL, write_cell, err);

	return r ? r : write_cell(call, err);
}

static int get_events(const struct call *call, struct err *err)
{
	return waits_events(api_waits(call->api), call, err);
}

/* A copy in a file of its own, which is nobody's name while it is sent. */
static int get_backup(const struct call *call, struct err *err)
{
	char folder[] = "/tmp/cellar-backup.XXXXXX", path[PATH_MAX];
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	err_try(master_allow_operator(call->master, call->caller, "backup", err));
	if (!mkdtemp(folder))
		return err_set(err, errno, "make a folder in /tmp");
	snprintf(path, sizeof(path), "%s/cell.db", folder);
	r = master_backup(call->master, path, err);
	if (r == 0 && ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || fstat(fd, &st) < 0))
		r = err_set(err, errno, "open %s", path);
	unlink(path);
	rmdir(folder);
	if (r < 0)
		return r;
	http_answer_file(call->request, "application/vnd.sqlite3", take_fd(&fd),
			 (size_t)st.st_size);
	return ROUTE_ANSWERED;
}

static int get_metrics(const struct call *call, struct err *err)
{
	size_t len = 0;
	char *text = master_metrics(call->master, &len);

	(void)err;
	return answer_text(call, "text/plain; version=0.0.4", text, len);
}

static int get_openapi(const struct call *call, struct err *err)
{
	size_t len;
	const char *from = route_openapi(&len);
	char *text = malloc(len);

	(void)err;
	if (text)
		memcpy(text, from, len);
	return answer_text(call, "application/yaml", text, len);
}

static int get_health(const struct call *call, struct err *err)
{
	(void)err;
	json_open_object(call->w);
	json_field_bool(call->w, "ok", true);
	json_close_object(call->w);
	return 0;
}

static int get_ready(const struct call *call, struct err *err)
{
	if (!master_ready(call->master))
		return err_say(err, EAGAIN, "the store does not take what is decided");
	return get_health(call, err);
}

const struct route routes[] = {
	{ "GET", "/healthz", get_health },
	{ "GET", "/readyz", get_ready },
	{ "GET", "/metrics", get_metrics },
	{ "GET", "/v1/openapi.yaml", get_openapi },
	{ "GET", "/v1/jobs", get_jobs },
	{ "POST", "/v1/jobs", post_job },
	{ "POST", "/v1/plan", post_plan },
	{ "GET", "/v1/jobs/{job}", get_job },
	{ "DELETE", "/v1/jobs/{job}", delete_job },
	{ "GET", "/v1/jobs/{job}/history", get_history },
	{ "POST", "/v1/jobs/{job}/scale", post_scale },
	{ "POST", "/v1/jobs/{job}/resize", post_resize },
	{ "POST", "/v1/jobs/{job}/restart", post_restart },
	{ "GET", "/v1/jobs/{job}/logs", stream_logs },
	{ "POST", "/v1/jobs/{job}/exec", stream_exec },
	{ "POST", "/v1/streams/{stream}", stream_say },
	{ "GET", "/v1/agent/streams/{stream}", stream_listen_agent },
	{ "POST", "/v1/agent/streams/{stream}", stream_say_agent },
	{ "GET", "/v1/allocs", get_allocs },
	{ "GET", "/v1/allocs/{set}", get_alloc },
	{ "POST", "/v1/allocs/{set}/resize", post_resize },
	{ "POST", "/v1/allocs/{set}/scale", post_scale },
	{ "GET", "/v1/machines", get_machines },
	{ "GET", "/v1/machines/{machine}", get_machine },
	{ "POST", "/v1/machines/{machine}/cordon", post_cordon },
	{ "POST", "/v1/machines/{machine}/uncordon", post_uncordon },
	{ "POST", "/v1/machines/{machine}/drain", post_drain },
	{ "GET", "/v1/picture", get_picture },
	{ "GET", "/v1/cell", get_cell },
	{ "GET", "/v1/cell/backup", get_backup },
	{ "GET", "/v1/events", get_events },
	{ "GET", "/v1/policy", get_policy },
	{ "PUT", "/v1/policy", put_policy },
	{ "GET", "/v1/quotas", get_quotas },
	{ "PUT", "/v1/quotas/{owner}", put_quota },
	{ "GET", "/v1/secrets", get_secrets },
	{ "PUT", "/v1/secrets/{secret}", put_secret },
	{ "DELETE", "/v1/secrets/{secret}", delete_secret },
	{ NULL, NULL, NULL },
};

bool route_matches(const struct route *route, const char *path,
		   char ret_name[static ROUTE_NAME_SIZE])
{
	const char *p = route->path;

	*ret_name = '\0';
	for (; *p && *path; p++) {
		size_t len;

		if (*p != '{') {
			if (*p != *path++)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (!len || len >= ROUTE_NAME_SIZE)
			return false;
		memcpy(ret_name, path, len);
		ret_name[len] = '\0';
		path += len;
		p = strchr(p, '}');
	}
	return !*p && !*path;
}
