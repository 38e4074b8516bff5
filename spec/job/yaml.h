/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML 1.2 document (JSON is a part of it), read through libfyaml, of which nothing shows here. A
 * node knows where it stands, so that every error names file, line, column and path:
 *
 *	web.yaml:7:10: tasks.resources.cpu: "lots" is no amount of CPU, like 100m or 1.5
 *
 * One document a file. Aliases and tags are refused: nothing in a job file needs them, and they are
 * how a small file becomes a large one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct yaml;
struct fy_node;

struct yaml_node {
	const struct yaml *doc;
	struct fy_node *node;
	const char *path; /* "tasks.ports[0]"; "" for the root */
	int line, column; /* from 1: of its key, or of itself */
	bool accepted;	  /* it was, once: a list may be longer than it may be now (field.h) */
};

/* name: what errors call the file. Text need not outlive the call. -EINVAL, -ENOMEM. */
int yaml_parse(const char *name, const char *text, size_t len, struct yaml **ret, struct err *err);
struct yaml *yaml_free(struct yaml *doc);
struct yaml_node yaml_root(const struct yaml *doc);

/* The next member of a mapping, with its key, or element of a sequence, with the key NULL. Starts
 * with *state NULL. 0 at the end; -EINVAL for a key that is no text. */
int yaml_next(const struct yaml_node *parent, void **state, const char **ret_key,
	      struct yaml_node *ret, struct err *err);

bool yaml_is_mapping(const struct yaml_node *node);
bool yaml_is_sequence(const struct yaml_node *node);
/* NULL where the node is no scalar, or null. Lives as long as the document. */
const char *yaml_text(const struct yaml_node *node);
bool yaml_is_quoted(const struct yaml_node *node); /* "5" is text, 5 is a number, too */

/* Sets "file:line:column: path: sentence" and returns -EINVAL. */
int yaml_fail(const struct yaml_node *node, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

CLEANUP_DEFINE(struct yaml, yaml, yaml_free);
#define _cleanup_yaml_ _cleanup_(cleanup_yaml)
