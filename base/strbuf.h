/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing string. Failure is sticky: after running out of memory every call does nothing, and
 * strbuf_take() or strbuf_ok() tells. A zeroed struct is an empty buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct strbuf {
	char *data; /* NUL-terminated once anything was added; owned */
	size_t len, size;
	bool failed;
};

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_deinit(struct strbuf *sb);

static inline bool strbuf_ok(const struct strbuf *sb)
{
	return !sb->failed;
}

/* The string, owned by the caller and never NULL-length-ambiguous: "" when empty; NULL on failure.
 */
char *strbuf_take(struct strbuf *sb);

#define _cleanup_strbuf_ _cleanup_(strbuf_deinit)
