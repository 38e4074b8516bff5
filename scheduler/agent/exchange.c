/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/exchange.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "scheduler/agent/exchange_parts.h"
#include "scheduler/core/amounts.h"
#include "scheduler/core/map.h"

#define PORT_MAX 65535
#define EXIT_MAX 255

static const char *const state_names[] = {
	[REPORT_STARTING] = "starting",
	[REPORT_RUNNING] = "running",
	[REPORT_STOPPING] = "stopping",
	[REPORT_ENDED] = "ended",
};

static const char *const network_names[] = {
	[WANT_BRIDGE] = "bridge",
	[WANT_HOST] = "host",
	[WANT_NONE] = "none",
};

static const char *const health_names[] = {
	[REPORT_UNCHECKED] = "none",
	[REPORT_CHECKING] = "starting",
	[REPORT_HEALTHY] = "healthy",
	[REPORT_UNHEALTHY] = "unhealthy",
};

const char *report_state_name(enum report_state state)
{
	return state_names[state];
}

const char *report_health_name(enum report_health health)
{
	return health_names[health];
}

/* ---- writing ---- */

static void format_report(struct json_writer *w, const struct report *r)
{
	json_open_object(w);
	json_field_string(w, "task", r->task);
	json_field_u64(w, "incarnation", r->incarnation);
	json_field_string(w, "state", state_names[r->state]);
	if (r->state == REPORT_ENDED)
		json_field_i64(w, "exit_code", r->exit_code);
	if (r->oom)
		json_field_bool(w, "oom", true);
	json_field_string(w, "reason", r->reason);
	json_field_string(w, "container", r->container);
	json_field_string(w, "address", r->address);
	json_key(w, "ports");
	json_open_array(w);
	for (size_t i = 0; i < r->port_count; i++) {
		json_open_object(w);
		json_field_u64(w, "host", r->ports[i].host);
		json_field_u64(w, "container", r->ports[i].container);
		json_close_object(w);
	}
	json_close_array(w);
	if (r->evicted)
		json_field_bool(w, "evicted", true);
	if (r->health)
		json_field_string(w, "health", health_names[r->health]);
	if (r->secrets)
		json_field_u64(w, "secrets", r->secrets);
	if (r->restored)
		json_field_bool(w, "restored", true);
	if (r->no_checkpoint)
		json_field_string(w, "no_checkpoint", r->no_checkpoint);
	if (r->used_cpu_milli >= 0 && r->used_memory_bytes >= 0) {
		json_field_i64(w, "used_cpu_milli", r->used_cpu_milli);
		json_field_i64(w, "used_memory_bytes", r->used_memory_bytes);
	}
	json_close_object(w);
}

char *machine_report_format(const struct machine_report *report, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_string(w, "machine", report->machine);
	json_field_string(w, "rack", report->rack);
	if (report->heard_epoch) {
		json_field_u64(w, "heard_epoch", report->heard_epoch);
		json_field_u64(w, "heard", report->heard);
	}
	if (report->pressed)
		json_field_bool(w, "pressed", true);
	json_key(w, "capacity");
	json_open_object(w);
	json_field_i64(w, "cpu_milli", report->cpu_milli);
	json_field_i64(w, "memory_bytes", report->memory_bytes);
	json_field_i64(w, "disk_bytes", report->disk_bytes);
	json_close_object(w);
	json_key(w, "tasks");
	json_open_array(w);
	for (size_t i = 0; i < report->task_count; i++)
		format_report(w, &report->tasks[i]);
	json_close_array(w);
	exchange_write_calls(w, report);
	exchange_write_kept(w, "kept", report->kept, report->kept_count);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

static void format_program(struct json_writer *w, const struct program *p)
{
	json_open_object(w);
	json_field_string(w, "image", p->image);
	if (p->entrypoint)
		json_field_strings(w, "entrypoint", p->entrypoint);
	if (p->command)
		json_field_strings(w, "command", p->command);
	if (p->env)
		json_field_strings(w, "env", p->env);
	json_field_string(w, "workdir", p->workdir);
	json_field_string(w, "user", p->user);
	json_field_i64(w, "cpu_milli", p->cpu_milli);
	json_field_i64(w, "memory_bytes", p->memory_bytes);
	json_field_i64(w, "stop_grace_ms", p->stop_grace_ms);
	json_field_u64(w, "priority", p->priority);
	json_field_bool(w, "latency_sensitive", p->latency_sensitive);
	json_field_string(w, "network", network_names[p->network]);
	json_key(w, "ports");
	json_open_array(w);
	for (size_t i = 0; i < p->port_count; i++) {
		json_open_object(w);
		json_field_string(w, "name", p->ports[i].name);
		json_field_u64(w, "container", p->ports[i].container);
		json_field_u64(w, "host", p->ports[i].host);
		json_field_bool(w, "udp", p->ports[i].udp);
		json_close_object(w);
	}
	json_close_array(w);
	json_key(w, "mounts");
	json_open_array(w);
	for (size_t i = 0; i < p->mount_count; i++) {
		json_open_object(w);
		json_field_string(w, "source", p->mounts[i].source);
		json_field_string(w, "target", p->mounts[i].target);
		json_field_bool(w, "readonly", p->mounts[i].readonly);
		json_close_object(w);
	}
	json_close_array(w);
	exchange_write_health(w, &p->health);
	json_field_string(w, "alloc", p->alloc);
	if (p->api)
		json_field_bool(w, "api", true);
	if (p->privileged)
		json_field_bool(w, "privileged", true);
	if (p->devices)
		json_field_strings(w, "devices", p->devices);
	json_close_object(w);
}

uint64_t program_hash(const struct program *program)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (!w)
		return 0;
	format_program(w, program);
	text = json_writer_take(w, &len);
	return text ? hash_bytes(text, len, 0) : 0;
}

char *machine_wants_format(const struct machine_wants *wants, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);

	if (!w)
		return NULL;
	json_open_object(w);
	json_field_u64(w, "epoch", wants->epoch);
	if (wants->number)
		json_field_u64(w, "number", wants->number);
	json_key(w, "tasks");
	json_open_array(w);
	for (size_t i = 0; i < wants->task_count; i++) {
		json_open_object(w);
		json_field_string(w, "task", wants->tasks[i].task);
		json_field_u64(w, "incarnation", wants->tasks[i].incarnation);
		if (wants->tasks[i].ended)
			json_field_bool(w, "ended", true);
		if (wants->tasks[i].paused)
			json_field_bool(w, "paused", true);
		if (wants->tasks[i].leaving) {
			json_field_bool(w, "leaving", true);
			json_field_bool(w, "checkpoint", wants->tasks[i].checkpoint);
			json_field_i64(w, "notice_ms", wants->tasks[i].notice_ms);
		}
		if (wants->tasks[i].kept)
			json_field_u64(w, "kept", wants->tasks[i].kept);
		if (wants->tasks[i].fence_ms)
			json_field_i64(w, "fence_ms", wants->tasks[i].fence_ms);
		if (wants->tasks[i].cpu_milli)
			json_field_i64(w, "cpu_milli", wants->tasks[i].cpu_milli);
		if (wants->tasks[i].memory_bytes)
			json_field_i64(w, "memory_bytes", wants->tasks[i].memory_bytes);
		if (wants->tasks[i].program) {
			json_key(w, "program");
			format_program(w, wants->tasks[i].program);
		}
		exchange_write_secrets(w, &wants->tasks[i]);
		json_close_object(w);
	}
	json_close_array(w);
	exchange_write_allocs(w, wants);
	exchange_write_answers(w, wants);
	exchange_write_kept(w, "drop", wants->drop, wants->drop_count);
	if (wants->streams)
		json_field_strings(w, "streams", wants->streams);
	json_close_object(w);
	return json_writer_take(w, ret_len);
}

/* ---- reading ---- */

static int word(const struct json_node *node, const char *key, const char *const *names,
		size_t count, struct arena *arena, int *ret, struct err *err)
{
	const char *text = "";
	int r = json_need(json_get_string(node, key, arena, &text, err), node, key, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (int)i;
			return 0;
		}
	return json_bad(node, err, "\"%s\" is unknown", text);
}

static int need_text(const struct json_node *node, const char *key, struct arena *arena,
		     const char **ret, struct err *err)
{
	return json_need(json_get_string(node, key, arena, ret, err), node, key, err);
}

static int port_number(const struct json_node *node, const char *key, uint16_t *ret,
		       struct err *err)
{
	int64_t n = 0;
	int r = json_get_range(node, key, 0, PORT_MAX, &n, err);

	*ret = (uint16_t)n;
	return r < 0 ? r : 0;
}

static int parse_report_port(const struct json_node *node, struct arena *arena, void *ret,
			     struct err *err)
{
	struct report_port *port = ret;

	(void)arena;
	err_try(port_number(node, "host", &port->host, err));
	return port_number(node, "container", &port->container, err);
}

static int parse_report(const struct json_node *node, struct arena *arena, void *ret,
			struct err *err)
{
	struct report *report = ret;
	int64_t code = -1;
	int state = 0, health = REPORT_UNCHECKED;

	err_try(need_text(node, "task", arena, &report->task, err));
	if (strlen(report->task) >= TASK_NAME_SIZE)
		return json_bad(node, err, "task: the name is too long");
	err_try(json_need(json_get_u64(node, "incarnation", &report->incarnation, err), node,
			  "incarnation", err));
	err_try(word(node, "state", state_names, ARRAY_SIZE(state_names), arena, &state, err));
	err_try(json_get_range(node, "exit_code", -1, EXIT_MAX, &code, err));
	err_try(json_get_bool(node, "oom", &report->oom, err));
	err_try(json_get_string(node, "reason", arena, &report->reason, err));
	err_try(json_get_string(node, "container", arena, &report->container, err));
	err_try(json_get_string(node, "address", arena, &report->address, err));
	report->used_cpu_milli = report->used_memory_bytes = -1;
	err_try(json_get_bool(node, "evicted", &report->evicted, err));
	if (json_has(node, "health"))
		err_try(word(node, "health", health_names, ARRAY_SIZE(health_names), arena, &health,
			     err));
	report->health = (enum report_health)health;
	err_try(json_get_u64(node, "secrets", &report->secrets, err));
	err_try(json_get_bool(node, "restored", &report->restored, err));
	err_try(json_get_string(node, "no_checkpoint", arena, &report->no_checkpoint, err));
	err_try(json_get_range(node, "used_cpu_milli", 0, AMOUNT_MAX, &report->used_cpu_milli,
			       err));
	err_try(json_get_range(node, "used_memory_bytes", 0, AMOUNT_MAX, &report->used_memory_bytes,
			       err));
	report->state = (enum report_state)state;
	report->exit_code = (int)code;
	return exchange_objects(node, "ports", arena, sizeof(*report->ports), parse_report_port,
				&report->ports, &report->port_count, err);
}

int machine_report_parse(const char *text, size_t len, struct arena *arena,
			 struct machine_report *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root, capacity;

	*ret = (struct machine_report){ 0 };
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(need_text(&root, "machine", arena, &ret->machine, err));
	err_try(json_get_string(&root, "rack", arena, &ret->rack, err));
	err_try(json_need(json_get_object(&root, "capacity", &capacity, err), &root, "capacity",
			  err));
	err_try(json_get_range(&capacity, "cpu_milli", 1, AMOUNT_MAX, &ret->cpu_milli, err));
	err_try(json_get_range(&capacity, "memory_bytes", 1, AMOUNT_MAX, &ret->memory_bytes, err));
	err_try(json_get_range(&capacity, "disk_bytes", 0, AMOUNT_MAX, &ret->disk_bytes, err));
	err_try(json_get_bool(&root, "pressed", &ret->pressed, err));
	err_try(json_get_u64(&root, "heard_epoch", &ret->heard_epoch, err));
	err_try(json_get_u64(&root, "heard", &ret->heard, err));
	err_try(exchange_read_calls(&root, arena, ret, err));
	err_try(exchange_read_kept(&root, "kept", arena, &ret->kept, &ret->kept_count, err));
	return exchange_objects(&root, "tasks", arena, sizeof(*ret->tasks), parse_report,
				&ret->tasks, &ret->task_count, err);
}

static int parse_want_port(const struct json_node *node, struct arena *arena, void *ret,
			   struct err *err)
{
	struct want_port *port = ret;

	err_try(need_text(node, "name", arena, &port->name, err));
	err_try(port_number(node, "host", &port->host, err));
	err_try(port_number(node, "container", &port->container, err));
	return json_get_bool(node, "udp", &port->udp, err);
}

static int parse_mount(const struct json_node *node, struct arena *arena, void *ret,
		       struct err *err)
{
	struct want_mount *mount = ret;

	err_try(need_text(node, "source", arena, &mount->source, err));
	err_try(need_text(node, "target", arena, &mount->target, err));
	return json_get_bool(node, "readonly", &mount->readonly, err);
}

static int parse_program(const struct json_node *node, struct arena *arena, struct program *p,
			 struct err *err)
{
	int64_t priority = 0;
	int network = 0;

	err_try(need_text(node, "image", arena, &p->image, err));
	err_try(json_get_strings(node, "entrypoint", arena, &p->entrypoint, NULL, err));
	err_try(json_get_strings(node, "command", arena, &p->command, NULL, err));
	err_try(json_get_strings(node, "env", arena, &p->env, NULL, err));
	err_try(json_get_string(node, "workdir", arena, &p->workdir, err));
	err_try(json_get_string(node, "user", arena, &p->user, err));
	err_try(json_get_range(node, "cpu_milli", 0, AMOUNT_MAX, &p->cpu_milli, err));
	err_try(json_get_range(node, "memory_bytes", 0, AMOUNT_MAX, &p->memory_bytes, err));
	err_try(json_get_range(node, "stop_grace_ms", 0, AMOUNT_MAX, &p->stop_grace_ms, err));
	err_try(json_get_range(node, "priority", 0, 450, &priority, err));
	err_try(json_get_bool(node, "latency_sensitive", &p->latency_sensitive, err));
	err_try(word(node, "network", network_names, ARRAY_SIZE(network_names), arena, &network,
		     err));
	p->priority = (unsigned)priority;
	p->network = (enum want_network)network;
	err_try(exchange_read_health(node, arena, &p->health, err));
	err_try(json_get_string(node, "alloc", arena, &p->alloc, err));
	err_try(json_get_bool(node, "api", &p->api, err));
	err_try(json_get_bool(node, "privileged", &p->privileged, err));
	err_try(json_get_strings(node, "devices", arena, &p->devices, NULL, err));
	err_try(exchange_objects(node, "ports", arena, sizeof(*p->ports), parse_want_port,
				 &p->ports, &p->port_count, err));
	return exchange_objects(node, "mounts", arena, sizeof(*p->mounts), parse_mount, &p->mounts,
				&p->mount_count, err);
}

static int parse_want(const struct json_node *node, struct arena *arena, void *ret, struct err *err)
{
	struct want *want = ret;
	struct program *program;
	struct json_node node_of_program;
	int r;

	err_try(need_text(node, "task", arena, &want->task, err));
	if (strlen(want->task) >= TASK_NAME_SIZE)
		return json_bad(node, err, "task: the name is too long");
	err_try(json_need(json_get_u64(node, "incarnation", &want->incarnation, err), node,
			  "incarnation", err));
	err_try(json_get_bool(node, "ended", &want->ended, err));
	err_try(json_get_bool(node, "paused", &want->paused, err));
	err_try(json_get_bool(node, "leaving", &want->leaving, err));
	err_try(json_get_bool(node, "checkpoint", &want->checkpoint, err));
	want->notice_ms = -1;
	err_try(json_get_range(node, "notice_ms", -1, AMOUNT_MAX, &want->notice_ms, err));
	err_try(json_get_u64(node, "kept", &want->kept, err));
	err_try(json_get_range(node, "fence_ms", 0, AMOUNT_MAX, &want->fence_ms, err));
	err_try(json_get_range(node, "cpu_milli", 0, AMOUNT_MAX, &want->cpu_milli, err));
	err_try(json_get_range(node, "memory_bytes", 0, AMOUNT_MAX, &want->memory_bytes, err));
	err_try(exchange_read_secrets(node, arena, want, err));
	r = json_get_object(node, "program", &node_of_program, err);
	if (r <= 0)
		return r;
	program = arena_alloc(arena, sizeof(*program));
	if (!program)
		return err_set(err, ENOMEM, "read task %s", want->task);
	want->program = program;
	return parse_program(&node_of_program, arena, program, err);
}

int machine_wants_parse(const char *text, size_t len, struct arena *arena,
			struct machine_wants *ret, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_node root;

	*ret = (struct machine_wants){ 0 };
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(json_get_u64(&root, "epoch", &ret->epoch, err));
	err_try(json_get_u64(&root, "number", &ret->number, err));
	err_try(exchange_read_allocs(&root, arena, ret, err));
	err_try(exchange_read_answers(&root, arena, ret, err));
	err_try(exchange_read_kept(&root, "drop", arena, &ret->drop, &ret->drop_count, err));
	err_try(json_get_strings(&root, "streams", arena, &ret->streams, NULL, err));
	return exchange_objects(&root, "tasks", arena, sizeof(*ret->tasks), parse_want, &ret->tasks,
				&ret->task_count, err);
}
