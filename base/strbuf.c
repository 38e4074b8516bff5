/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static bool reserve(struct strbuf *sb, size_t more)
{
	size_t need, size;
	char *data;

	if (sb->failed)
		return false;
	if (__builtin_add_overflow(sb->len + 1, more, &need)) {
		sb->failed = true;
		return false;
	}
	if (need <= sb->size)
		return true;
	size = sb->size ? sb->size : 128;
	while (size < need)
		size = size > SIZE_MAX / 2 ? need : size * 2;
	data = realloc(sb->data, size);
	if (!data) {
		sb->failed = true;
		return false;
	}
	sb->data = data;
	sb->size = size;
	return true;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!reserve(sb, len))
		return;
	memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len < 0)
		sb->failed = true;
	else if (reserve(sb, (size_t)len)) {
		vsnprintf(sb->data + sb->len, (size_t)len + 1, fmt, again);
		sb->len += (size_t)len;
	}
	va_end(again);
	va_end(ap);
}

void strbuf_deinit(struct strbuf *sb)
{
	free(sb->data);
	*sb = (struct strbuf){ 0 };
}

char *strbuf_take(struct strbuf *sb)
{
	char *data;

	strbuf_add(sb, "", 0);
	if (sb->failed) {
		strbuf_deinit(sb);
		return NULL;
	}
	data = sb->data;
	*sb = (struct strbuf){ 0 };
	return data;
}
