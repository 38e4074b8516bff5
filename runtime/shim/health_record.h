/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a container's health, in BUNDLE/health.json: written by its shim after each
 * look, read by whoever wants to know and by a shim that adopts the container.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define HEALTH_FILE "health.json"
#define HEALTH_RESULTS 5
#define HEALTH_OUTPUT_MAX 4096

enum health_status { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct health_result {
	int64_t start_ns, end_ns;
	int exit_code; /* 0: healthy; -1: there was none */
	char *output;  /* owned; valid UTF-8 without NUL; at most HEALTH_OUTPUT_MAX bytes */
};

/* Zero: nothing is known. */
struct health_record {
	enum health_status status;
	unsigned failing_streak;
	struct health_result results[HEALTH_RESULTS]; /* the oldest comes first */
	size_t count;
};

/* "none", "starting", "healthy", "unhealthy" */
const char *health_status_name(enum health_status status);

/* Adds a result, and forgets the oldest where there are too many. output: any bytes, of which what
 * is no text is replaced; len may be more than is kept. -ENOMEM. */
int health_record_add(struct health_record *record, int64_t start_ns, int64_t end_ns, int exit_code,
		      const char *output, size_t len);
void health_record_deinit(struct health_record *record);

/* The fields status, failing_streak and log, into the open object. */
void health_record_format(struct json_writer *w, const struct health_record *record);

int health_record_save(const char *bundle, const struct health_record *record, struct err *err);
/* -ENOENT where there is none. */
int health_record_load(const char *bundle, struct health_record *ret, struct err *err);

#define _cleanup_health_record_ _cleanup_(health_record_deinit)
