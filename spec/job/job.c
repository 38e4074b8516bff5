/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a job file, and what no table can say. */
#include "spec/job/job.h"

#include <errno.h>
#include <string.h>

#define AT(type, member) .offset = offsetof(struct type, member)

static const char *const class_words[] = { "by-priority", "latency-sensitive", "batch", NULL };
static const char *const domain_words[] = { "machine", "rack", "power", NULL };
static const char *const preemption_words[] = { "kill", "pause", "checkpoint", NULL };
static const char *const restart_words[] = { "always", "on-failure", "never", NULL };
static const char *const network_words[] = { "bridge", "host", "none", NULL };
static const char *const protocol_words[] = { "tcp", "udp", NULL };

/* clang-format off */
static const struct field resources_fields[] = {
	{ "cpu", FIELD_CPU, AT(job_resources, cpu_milli), .help = "processors, as a limit: 100m, 0.5, 2" },
	{ "memory", FIELD_BYTES, AT(job_resources, memory_bytes), .help = "memory, as a limit: 16Mi, 1.5Gi" },
	{ "disk", FIELD_BYTES, AT(job_resources, disk_bytes), .help = "room on the machine's disk: 1Gi" },
	{ "gpu", FIELD_SHARE, AT(job_resources, gpu_milli), .help = "GPUs, whole ones, or a part of one: 2, 0.25" },
	{ "gpu_model", FIELD_TEXT, AT(job_resources, gpu_model), .help = "of this model; any when left out" },
	FIELD_END,
};
static const struct field constraint_fields[] = {
	{ "attribute", FIELD_TEXT, AT(job_constraint, attribute), true, "of the machine: arch, kernel, rack, or any that the operator has given" },
	{ "is", FIELD_TEXT, AT(job_constraint, is), .help = "the value that it has to have" },
	{ "is_not", FIELD_TEXT, AT(job_constraint, is_not), .help = "the value that it must not have" },
	{ "exists", FIELD_BOOL, AT(job_constraint, exists), .help = "it has to have one, whatever its value" },
	{ "absent", FIELD_BOOL, AT(job_constraint, absent), .help = "it must not have one" },
	{ "prefer", FIELD_BOOL, AT(job_constraint, prefer), .help = "a wish, not a demand" },
	FIELD_END,
};
static const struct field spread_fields[] = {
	{ "over", FIELD_WORD, AT(job_spread, over), true, "the failure domain", .words = domain_words },
	{ "most", FIELD_NUMBER, AT(job_spread, most), .help = "tasks in one domain (default 1)", .min = 1, .max = JOB_TASKS_MAX },
	{ "group", FIELD_NAME, AT(job_spread, group), .help = "jobs of this group count together; this job alone when left out" },
	{ "prefer", FIELD_BOOL, AT(job_spread, prefer), .help = "a wish, not a demand" },
	FIELD_END,
};
static const struct field affinity_fields[] = {
	{ "over", FIELD_WORD, AT(job_spread, over), true, "the domain that they share", .words = domain_words },
	{ "group", FIELD_NAME, AT(job_spread, group), .help = "jobs of this group lie together; this job alone when left out" },
	{ "prefer", FIELD_BOOL, AT(job_spread, prefer), .help = "a wish, not a demand" },
	FIELD_END,
};
static const struct field port_fields[] = {
	{ "name", FIELD_NAME, AT(job_port, name), true, "by which health checks and other jobs find it" },
	{ "container", FIELD_NUMBER, AT(job_port, container), .help = "where the task listens; left out with network host: where the cell says", .min = 1, .max = 65535 },
	{ "host", FIELD_NUMBER, AT(job_port, host), .help = "port of the machine; the cell chooses one when left out", .min = 1, .max = 65535 },
	{ "protocol", FIELD_WORD, AT(job_port, protocol), .help = "tcp when left out", .words = protocol_words },
	FIELD_END,
};
static const struct field volume_fields[] = {
	{ "source", FIELD_TEXT, AT(job_volume, source), true, "the name of a volume, or a path of the machine, which the operator has to allow" },
	{ "target", FIELD_TEXT, AT(job_volume, target), true, "absolute path in the container" },
	{ "readonly", FIELD_BOOL, AT(job_volume, readonly), .help = "the task may not write to it" },
	FIELD_END,
};
static const struct field secret_fields[] = {
	{ "name", FIELD_NAME, AT(job_secret, name), true, "of the secret in the cell" },
	{ "target", FIELD_TEXT, AT(job_secret, target), true, "absolute path of the file, which lies in memory" },
	FIELD_END,
};
static const struct field health_fields[] = {
	{ "exec", FIELD_TEXTS, AT(job_health, exec), .help = "a command that has to end with 0" },
	{ "http", FIELD_TEXT, AT(job_health, http), .help = "a path that has to answer with a status from 200 to 399" },
	{ "tcp", FIELD_BOOL, AT(job_health, tcp), .help = "the port has to take connections" },
	{ "port", FIELD_NAME, AT(job_health, port), .help = "the name of the port, for http and tcp" },
	{ "interval", FIELD_DURATION, AT(job_health, interval_ms), .help = "between checks (default 10s)" },
	{ "timeout", FIELD_DURATION, AT(job_health, timeout_ms), .help = "of one check (default 5s)" },
	{ "retries", FIELD_NUMBER, AT(job_health, retries), .help = "failures in a row that make it unhealthy (default 3)", .min = 1, .max = 100 },
	{ "start_period", FIELD_DURATION, AT(job_health, start_period_ms), .help = "failures do not count so long after the start" },
	FIELD_END,
};
static const struct field override_fields[] = {
	{ "index", FIELD_NUMBER, AT(job_override, index), true, "of the task, from 0", .min = 0, .max = JOB_TASKS_MAX - 1 },
	{ "resources", FIELD_OBJECT, AT(job_override, resources), .help = "instead of those of the other tasks, one by one", .fields = resources_fields },
	{ "env", FIELD_PAIRS, AT(job_override, env), .help = "variables, beside or instead of those of the other tasks" },
	FIELD_END,
};
static const struct field tasks_fields[] = {
	{ "count", FIELD_NUMBER, AT(job_tasks, count), .help = "tasks (default 1)", .min = 1, .max = JOB_TASKS_MAX },
	{ "image", FIELD_TEXT, AT(job_tasks, image), true, "name of the image" },
	{ "entrypoint", FIELD_TEXTS, AT(job_tasks, entrypoint), .help = "instead of the image's" },
	{ "command", FIELD_TEXTS, AT(job_tasks, command), .help = "instead of the image's" },
	{ "env", FIELD_PAIRS, AT(job_tasks, env), .help = "variables" },
	{ "workdir", FIELD_TEXT, AT(job_tasks, workdir), .help = "absolute path; the image's when left out" },
	{ "user", FIELD_TEXT, AT(job_tasks, user), .help = "USER[:GROUP], by name or number; the image's when left out" },
	{ "resources", FIELD_OBJECT, AT(job_tasks, resources), true, "what one task asks for", .fields = resources_fields },
	{ "network", FIELD_WORD, AT(job_tasks, network), .help = "bridge when left out", .words = network_words },
	{ "ports", FIELD_OBJECTS, AT(job_tasks, ports), .help = "published ones", .max = JOB_PORTS_MAX, .fields = port_fields, .size = sizeof(struct job_port) },
	{ "volumes", FIELD_OBJECTS, AT(job_tasks, volumes), .help = "mounted ones", .fields = volume_fields, .size = sizeof(struct job_volume) },
	{ "secrets", FIELD_OBJECTS, AT(job_tasks, secrets), .help = "files in memory", .fields = secret_fields, .size = sizeof(struct job_secret) },
	{ "health", FIELD_OBJECT, AT(job_tasks, health), .help = "how to find out whether a task is well", .fields = health_fields },
	{ "overrides", FIELD_OBJECTS, AT(job_tasks, overrides), .help = "what is different in single tasks", .fields = override_fields, .size = sizeof(struct job_override) },
	{ "stop_grace", FIELD_DURATION, AT(job_tasks, stop_grace_ms), .help = "between SIGTERM and SIGKILL (default 10s)" },
	{ "api", FIELD_BOOL, AT(job_tasks, api), .help = "each task gets a socket to the cell" },
	{ "privileged", FIELD_BOOL, AT(job_tasks, privileged), .help = "all capabilities and devices of the machine, which the operator has to allow" },
	{ "devices", FIELD_TEXTS, AT(job_tasks, devices), .help = "devices of the machine, each of which the operator has to allow" },
	FIELD_END,
};
static const struct field preemption_fields[] = {
	{ "how", FIELD_WORD, AT(job_preempt, how), .help = "kill when left out", .words = preemption_words },
	{ "notice", FIELD_DURATION, AT(job_preempt, notice_ms), .help = "between SIGTERM and what comes then (default 30s)" },
	FIELD_END,
};
static const struct field restart_fields[] = {
	{ "when", FIELD_WORD, AT(job_restarts, when), .help = "always when left out, for batch on-failure", .words = restart_words },
	{ "most", FIELD_NUMBER, AT(job_restarts, most), .help = "restarts of one task; no end when left out", .min = 1, .max = 1000000 },
	{ "backoff", FIELD_DURATION, AT(job_restarts, backoff_ms), .help = "before the first one, doubled each time (default 1s)" },
	{ "backoff_max", FIELD_DURATION, AT(job_restarts, backoff_max_ms), .help = "no longer than this (default 5m)" },
	FIELD_END,
};
#define PLACE_FIELDS \
	{ "owner", FIELD_NAME, AT(job_file, owner), true, "whose quota it takes" }, \
	{ "priority", FIELD_NUMBER, AT(job_file, priority), true, "free 0-99, batch 100-115, mid 116-119, production 120-359, monitoring 360-450", .min = 0, .max = JOB_PRIORITY_MAX }, \
	{ "cells", FIELD_TEXTS, AT(job_file, cells), .help = "cells it may run in; any when left out" }, \
	{ "constraints", FIELD_OBJECTS, AT(job_file, constraints), .help = "which machines will do", .fields = constraint_fields, .size = sizeof(struct job_constraint) }, \
	{ "spread", FIELD_OBJECT, AT(job_file, spread), .help = "how many may share a failure domain", .fields = spread_fields }, \
	{ "affinity", FIELD_OBJECT, AT(job_file, affinity), .help = "what has to share a domain", .fields = affinity_fields }
static const struct field job_fields[] = {
	{ "job", FIELD_NAME, AT(job_file, job), true, "its name" },
	PLACE_FIELDS,
	{ "class", FIELD_WORD, AT(job_file, class), .help = "latency-sensitive or batch; by priority when left out", .words = class_words },
	{ "alloc_set", FIELD_NAME, AT(job_file, in), .help = "the alloc set that it runs in" },
	{ "after", FIELD_TEXTS, AT(job_file, after), .help = "jobs that have to have finished" },
	{ "gang", FIELD_BOOL, AT(job_file, gang), .help = "all tasks start, or none" },
	{ "single_instance", FIELD_BOOL, AT(job_file, single_instance), .help = "no task may ever run twice, not even for a moment" },
	{ "disruption_budget", FIELD_NUMBER, AT(job_file, disruption_budget), .help = "tasks that may be down by the cell's doing at once; any number when left out", .min = 1, .max = JOB_TASKS_MAX },
	{ "preemption", FIELD_OBJECT, AT(job_file, preemption), .help = "what happens when a higher priority needs the room", .fields = preemption_fields },
	{ "restart", FIELD_OBJECT, AT(job_file, restart), .help = "of tasks that have ended", .fields = restart_fields },
	{ "tasks", FIELD_OBJECT, AT(job_file, tasks), true, "what runs", .fields = tasks_fields },
	FIELD_END,
};
static const struct field alloc_set_fields[] = {
	{ "alloc_set", FIELD_NAME, AT(job_file, alloc_set), true, "its name" },
	PLACE_FIELDS,
	{ "count", FIELD_NUMBER, AT(job_file, allocs), .help = "allocs (default 1)", .min = 1, .max = JOB_TASKS_MAX },
	{ "resources", FIELD_OBJECT, AT(job_file, reserve), true, "what one alloc reserves", .fields = resources_fields },
	FIELD_END,
};
/* clang-format on */

static const struct job_file defaults = {
	.allocs = 1,
	.preemption = { .notice_ms = 30000 },
	.restart = { .when = -1, .backoff_ms = 1000, .backoff_max_ms = 300000 },
	.tasks = { .count = 1,
		   .stop_grace_ms = 10000,
		   .health = { .interval_ms = 10000, .timeout_ms = 5000, .retries = 3 } },
};

int job_file_diff(const struct job_file *from, const struct job_file *to, field_diff_fn fn,
		  void *data)
{
	return fields_diff(to->job ? job_fields : alloc_set_fields, from, to, fn, data);
}

/* ---- what no table can say ---- */

static int check_resources(const struct yaml_node *root, const char *where,
			   const struct job_resources *r, struct err *err)
{
	if (r->gpu_milli > 1000 && r->gpu_milli % 1000 != 0)
		return yaml_fail(root, err, "%s.gpu: several GPUs are whole ones", where);
	if (r->gpu_model && r->gpu_milli == 0)
		return yaml_fail(root, err, "%s.gpu_model: goes with gpu", where);
	return 0;
}

static int check_constraints(const struct yaml_node *root, const struct job_file *f,
			     struct err *err)
{
	size_t i = 0;

	FIELD_EACH(job_constraint, c, f->constraints)
	{
		if (!!c->is + !!c->is_not + c->exists + c->absent != 1)
			return yaml_fail(
				root, err,
				"constraints[%zu]: needs one of is, is_not, exists, absent", i);
		i++;
	}
	return 0;
}

static bool has_port(const struct job_tasks *t, const char *name)
{
	FIELD_EACH(job_port, p, t->ports)
	if (strcmp(p->name, name) == 0)
		return true;
	return false;
}

static int check_ports(const struct yaml_node *root, const struct job_tasks *t, struct err *err)
{
	size_t i = 0;

	FIELD_EACH(job_port, p, t->ports)
	{
		for (const struct job_port *q = t->ports.items; q < p; q++)
			if (strcmp(p->name, q->name) == 0)
				return yaml_fail(root, err, "tasks.ports[%zu].name: \"%s\" twice",
						 i, p->name);
		if (!p->container && t->network == JOB_NETWORK_BRIDGE)
			return yaml_fail(root, err, "tasks.ports[%zu]: container is missing", i);
		i++;
	}
	if (t->ports.count > 0 && t->network == JOB_NETWORK_NONE)
		return yaml_fail(root, err, "tasks.ports: there are none with network none");
	return 0;
}

static int check_health(const struct yaml_node *root, const struct job_tasks *t, struct err *err)
{
	const struct job_health *h = &t->health;

	if (!!h->exec + !!h->http + h->tcp > 1)
		return yaml_fail(root, err, "tasks.health: one of exec, http and tcp will do");
	if ((h->http || h->tcp) && (!h->port || !has_port(t, h->port)))
		return yaml_fail(root, err, "tasks.health.port: has to name one of tasks.ports");
	if (h->http && h->http[0] != '/')
		return yaml_fail(root, err, "tasks.health.http: \"%s\" does not begin with /",
				 h->http);
	return 0;
}

static int check_paths(const struct yaml_node *root, const struct job_tasks *t, struct err *err)
{
	for (const char *const *device = t->devices; device && *device; device++)
		if (strncmp(*device, "/dev/", 5) != 0 || strstr(*device, "/.."))
			return yaml_fail(root, err,
					 "tasks.devices: \"%s\" is no plain path below /dev",
					 *device);
	if (t->workdir && t->workdir[0] != '/')
		return yaml_fail(root, err, "tasks.workdir: \"%s\" does not begin with /",
				 t->workdir);
	FIELD_EACH(job_volume, v, t->volumes)
	if (v->target[0] != '/')
		return yaml_fail(root, err, "tasks.volumes: target \"%s\" does not begin with /",
				 v->target);
	FIELD_EACH(job_secret, s, t->secrets)
	if (s->target[0] != '/')
		return yaml_fail(root, err, "tasks.secrets: target \"%s\" does not begin with /",
				 s->target);
	return 0;
}

static int check_overrides(const struct yaml_node *root, const struct job_tasks *t, struct err *err)
{
	int64_t before = -1;

	FIELD_EACH(job_override, o, t->overrides)
	{
		if (o->index <= before)
			return yaml_fail(root, err,
					 "tasks.overrides: index %lld does not rise above the one "
					 "before it",
					 (long long)o->index);
		if (o->index >= t->count)
			return yaml_fail(root, err,
					 "tasks.overrides: there is no task %lld of %lld",
					 (long long)o->index, (long long)t->count);
		err_try(check_resources(root, "tasks.overrides.resources", &o->resources, err));
		before = o->index;
	}
	return 0;
}

static int check_job(const struct yaml_node *root, const struct job_file *f, struct err *err)
{
	const struct job_tasks *t = &f->tasks;

	if (t->resources.cpu_milli == 0 || t->resources.memory_bytes == 0)
		return yaml_fail(root, err, "tasks.resources: cpu and memory are needed");
	for (const char *const *after = f->after; after && *after; after++)
		if (strcmp(*after, f->job) == 0)
			return yaml_fail(root, err, "after: a job cannot wait for itself");
	err_try(check_resources(root, "tasks.resources", &t->resources, err));
	err_try(check_ports(root, t, err));
	err_try(check_health(root, t, err));
	err_try(check_paths(root, t, err));
	return check_overrides(root, t, err);
}

static bool find_key(const struct yaml_node *root, const char *name, struct job_place *ret)
{
	struct yaml_node child;
	void *state = NULL;
	const char *key;

	if (yaml_is_mapping(root))
		while (yaml_next(root, &state, &key, &child, NULL) > 0)
			if (strcmp(key, name) == 0) {
				*ret = (struct job_place){ child.line, child.column };
				return true;
			}
	return false;
}

static bool has_key(const struct yaml_node *root, const char *name)
{
	struct job_place at;

	return find_key(root, name, &at);
}

static int read_file(const struct yaml_node *root, struct arena *arena, struct job_file *f,
		     struct err *err)
{
	bool is_set = !has_key(root, "job") && has_key(root, "alloc_set");

	err_try(fields_read(root, is_set ? alloc_set_fields : job_fields, arena, f, err));
	find_key(root, is_set ? "alloc_set" : "job", &f->name_at);
	find_key(root, "after", &f->after_at);
	if (has_key(root, "spread") && !f->spread.most)
		f->spread.most = 1;
	if (has_key(root, "affinity"))
		f->affinity.most = 1;
	if (f->spread.most && f->affinity.most && !f->spread.prefer && !f->affinity.prefer &&
	    f->spread.over <= f->affinity.over && f->spread.group == f->affinity.group &&
	    f->tasks.count > f->spread.most)
		return yaml_fail(root, err, "affinity: contradicts spread");
	err_try(check_constraints(root, f, err));
	if (is_set)
		return check_resources(root, "resources", &f->reserve, err);
	if (f->class == JOB_CLASS_DEFAULT)
		f->class = f->priority >= 120 ? JOB_LATENCY_SENSITIVE : JOB_BATCH;
	if (f->restart.when < 0)
		f->restart.when =
			f->class == JOB_BATCH ? JOB_RESTART_ON_FAILURE : JOB_RESTART_ALWAYS;
	return check_job(root, f, err);
}

static int parse(const char *name, const char *text, size_t len, bool accepted, struct arena *arena,
		 struct job_file *ret, struct err *err)
{
	_cleanup_yaml_ struct yaml *doc = NULL;
	struct job_file file = defaults;
	struct yaml_node root;

	if (len > JOB_FILE_BYTES_MAX)
		return err_say(err, E2BIG, "%s: longer than the %u MiB that a job file may have",
			       name, JOB_FILE_BYTES_MAX >> 20);
	err_try(yaml_parse(name, text, len, &doc, err));
	root = yaml_root(doc);
	root.accepted = accepted;
	file.file = arena_strdup(arena, name);
	if (!file.file)
		return err_set(err, ENOMEM, "read %s", name);
	err_try(read_file(&root, arena, &file, err));
	*ret = file;
	return 0;
}

int job_file_parse(const char *name, const char *text, size_t len, struct arena *arena,
		   struct job_file *ret, struct err *err)
{
	return parse(name, text, len, false, arena, ret, err);
}

int job_file_parse_accepted(const char *name, const char *text, size_t len, struct arena *arena,
			    struct job_file *ret, struct err *err)
{
	return parse(name, text, len, true, arena, ret, err);
}

char *job_file_schema(void)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	const struct {
		const char *title;
		const struct field *fields;
	} kinds[] = { { "A job", job_fields }, { "An alloc set", alloc_set_fields } };
	size_t len;

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_field_string(w, "title", "A job file of Cellar");
	json_key(w, "oneOf");
	json_open_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		json_open_object(w);
		json_field_string(w, "title", kinds[i].title);
		fields_schema(kinds[i].fields, w);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
	return json_writer_take(w, &len);
}
