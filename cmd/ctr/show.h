/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and numbers as text, for people and for --format json. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "runtime/engine/engine.h"

#define SHOW_SIZE 64

/* "5 seconds", "2 minutes", "3 hours", "9 days". Returns buf. */
char *show_duration(int64_t ns, char buf[static SHOW_SIZE]);

/* "Up 5 seconds", "Up 2 minutes (healthy) (paused)", "Exited (3) 2 hours ago", "Created". Returns
 * buf. */
char *show_status(const struct engine_container *container, int64_t now_ns,
		  char buf[static SHOW_SIZE]);

/* The fields of a container in an object that is open already. */
void show_container_json(struct json_writer *w, const struct engine_container *container);

/* "0.0.0.0:8080->80/tcp, [::1]:53->53/udp"; owned by the caller, NULL when out of memory. */
char *show_ports(const struct publish_list *list);

/* The field "ports" of an object that is open already. */
void show_ports_json(struct json_writer *w, const struct publish_list *list);

/* --format: NULL and "table" are the table, "json". -EINVAL. */
int show_parse_format(const char *format, bool *ret_json, struct err *err);

/* Takes the document and prints it with a line end. -ENOMEM. */
int show_json(struct json_writer *w, struct err *err);
