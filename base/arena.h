/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory with one lifetime. A parsed document and everything it points to live in one arena and go
 * with it; nothing in it is freed by itself. Out of memory gives NULL, as malloc does.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct arena;

struct arena *arena_new(void);
struct arena *arena_free(struct arena *arena); /* takes NULL, returns NULL */

/* Zeroed and aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_calloc(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

CLEANUP_DEFINE(struct arena, arena, arena_free);
#define _cleanup_arena_ _cleanup_(cleanup_arena)
