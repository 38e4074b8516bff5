/* SPDX-License-Identifier: Apache-2.0 */
/* "health_check" of meta.json, and of what `ctr inspect` shows. */
#pragma once

#include "base/json.h"
#include "runtime/engine/engine_supervision.h"

/* "none", "restart", "kill", "stop" */
const char *engine_health_action_name(enum shim_health_action action);
int engine_health_action_parse(const char *text, enum shim_health_action *ret, struct err *err);

/* Key and object; nothing where there is no check. */
void meta_health_format(struct json_writer *w, const struct engine_health *health);

/* root is the whole document. */
int meta_health_parse(const struct json_node *root, struct arena *arena, struct engine_health *ret,
		      struct err *err);
