/* SPDX-License-Identifier: Apache-2.0 */
/* What a task may ask for beside its program, as JSON: for exchange.c alone. */
#pragma once

#include "scheduler/agent/exchange.h"

/* An array of objects of `size` bytes, each read by fn. Absent: none. ret_items: the pointer. */
typedef int (*exchange_fn)(const struct json_node *node, struct arena *arena, void *ret,
			   struct err *err);
int exchange_objects(const struct json_node *node, const char *key, struct arena *arena,
		     size_t size, exchange_fn fn, const void *ret_items, size_t *ret_count,
		     struct err *err);

void exchange_write_health(struct json_writer *w, const struct want_health *health);
int exchange_read_health(const struct json_node *node, struct arena *arena, struct want_health *ret,
			 struct err *err);

void exchange_write_secrets(struct json_writer *w, const struct want *want);
int exchange_read_secrets(const struct json_node *node, struct arena *arena, struct want *ret,
			  struct err *err);

void exchange_write_allocs(struct json_writer *w, const struct machine_wants *wants);
int exchange_read_allocs(const struct json_node *node, struct arena *arena,
			 struct machine_wants *ret, struct err *err);

void exchange_write_calls(struct json_writer *w, const struct machine_report *report);
int exchange_read_calls(const struct json_node *node, struct arena *arena,
			struct machine_report *ret, struct err *err);

void exchange_write_answers(struct json_writer *w, const struct machine_wants *wants);
int exchange_read_answers(const struct json_node *node, struct arena *arena,
			  struct machine_wants *ret, struct err *err);

void exchange_write_kept(struct json_writer *w, const char *key, const struct task_kept *list,
			 size_t count);
int exchange_read_kept(const struct json_node *node, const char *key, struct arena *arena,
		       const struct task_kept **ret, size_t *ret_count, struct err *err);
