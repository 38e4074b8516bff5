/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/engine/meta.h"

char *show_duration(int64_t ns, char buf[static SHOW_SIZE])
{
	static const struct {
		const char *unit;
		int64_t seconds, until; /* used below so many seconds */
	} units[] = {
		{ "second", 1, 120 },
		{ "minute", 60, 7200 },
		{ "hour", 3600, 172800 },
		{ "day", 86400, INT64_MAX },
	};
	int64_t seconds = ns > 0 ? ns / 1000000000 : 0;
	size_t i = 0;

	while (seconds >= units[i].until)
		i++;
	snprintf(buf, SHOW_SIZE, "%" PRId64 " %s%s", seconds / units[i].seconds, units[i].unit,
		 seconds / units[i].seconds == 1 ? "" : "s");
	return buf;
}

/* As Docker writes it. */
static const char *show_health(enum health_status status)
{
	switch (status) {
	case HEALTH_NONE:
		return "";
	case HEALTH_STARTING:
		return " (health: starting)";
	case HEALTH_HEALTHY:
		return " (healthy)";
	case HEALTH_UNHEALTHY:
		return " (unhealthy)";
	}
	return "";
}

char *show_status(const struct engine_container *c, int64_t now_ns, char buf[static SHOW_SIZE])
{
	char since[SHOW_SIZE], code[16] = "?";

	if (c->damage) {
		snprintf(buf, SHOW_SIZE, "Damaged%s", c->pid ? ", up" : "");
	} else if (strcmp(c->status, "created") == 0) {
		snprintf(buf, SHOW_SIZE, "Created");
	} else if (strcmp(c->status, "exited") == 0 || strcmp(c->status, "restarting") == 0) {
		const char *word = *c->status == 'e' ? "Exited" : "Restarting";

		if (c->exit_code >= 0)
			snprintf(code, sizeof(code), "%d", c->exit_code);
		if (c->finished_ns)
			snprintf(buf, SHOW_SIZE, "%s (%s) %.30s ago", word, code,
				 show_duration(now_ns - c->finished_ns, since));
		else
			snprintf(buf, SHOW_SIZE, "%s (%s)", word, code);
	} else {
		snprintf(buf, SHOW_SIZE, "Up %.30s%s%s",
			 show_duration(now_ns - (c->started_ns ? c->started_ns : c->created_ns),
				       since),
			 show_health(c->health.status),
			 strcmp(c->status, "paused") == 0 ? " (paused)" : "");
	}
	return buf;
}

static void field_time(struct json_writer *w, const char *key, int64_t ns)
{
	char time[CLOCK_RFC3339_SIZE];

	if (ns)
		json_field_string(w, key, clock_format(ns, time));
}

void show_container_json(struct json_writer *w, const struct engine_container *c)
{
	bool exited = strcmp(c->status, "exited") == 0;
	bool ended = exited || strcmp(c->status, "restarting") == 0;

	json_field_string(w, "id", c->id);
	json_field_string(w, "name", c->name);
	json_field_string(w, "image", c->image);
	json_field_string(w, "image_id", c->image_id);
	json_field_strings(w, "command", c->command);
	json_field_string(w, "status", c->status);
	json_field_string(w, "damage", c->damage);
	if (c->health.status != HEALTH_NONE)
		json_field_string(w, "health_status", health_status_name(c->health.status));
	json_field_i64(w, "pid", c->pid);
	if (ended && c->exit_code >= 0)
		json_field_i64(w, "exit_code", c->exit_code);
	if (exited)
		json_field_bool(w, "oom_killed", c->oom_killed);
	field_time(w, "created", c->created_ns);
	field_time(w, "started", c->started_ns);
	field_time(w, "finished", c->finished_ns);
	json_field_string(w, "network", meta_network_name(c->network));
	json_field_string(w, "address", exited ? NULL : c->address);
	json_field_string(w, "address6", exited ? NULL : c->address6);
	json_field_string(w, "hostname", c->hostname);
	if (c->ports.count && !exited)
		show_ports_json(w, &c->ports);
	json_field_bool(w, "auto_remove", c->auto_remove);
	json_field_string(w, "restart", c->restart);
	json_field_i64(w, "restarts", c->restarts);
}

int show_parse_format(const char *format, bool *ret_json, struct err *err)
{
	if (!format || strcmp(format, "table") == 0)
		*ret_json = false;
	else if (strcmp(format, "json") == 0)
		*ret_json = true;
	else if (strstr(format, "{{"))
		return err_say(err, EINVAL,
			       "--format: there are no templates; write --format json, and pick "
			       "what you want by jq");
	else
		return err_say(err, EINVAL, "--format: \"%s\" is unknown; there are table and json",
			       format);
	return 0;
}

/* JSON escapes what is below a space. What else a terminal obeys can only stand in strings too. */
static void print_tamely(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == 0x7f)
			printf("\\u007f");
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			printf("\\u00%02x", *++p);
		else
			putchar(*p);
	}
	putchar('\n');
}

int show_json(struct json_writer *w, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	text = json_writer_take(w, &len);
	if (!text)
		return err_set(err, ENOMEM, "print JSON");
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	print_tamely(text);
	return 0;
}
