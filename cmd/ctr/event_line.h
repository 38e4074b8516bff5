/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the engine's events: which are wanted, and how they are shown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/options.h"

/* Of each key one is to hold; a key without values always does. */
struct event_filter {
	int64_t since_ns, until_ns; /* 0: open */
	struct options_list containers, actions, images, types, volumes;
};

/* "container=web", ...; the text stays the caller's. -EINVAL. */
int event_filter_add(struct event_filter *filter, const char *text, struct err *err);
void event_filter_deinit(struct event_filter *filter);

/* Prints it where it is wanted. 1: it is of after until_ns; 0 else, also for what is no event. */
int event_line_show(const char *line, const struct event_filter *filter, bool json);
