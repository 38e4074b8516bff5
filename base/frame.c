/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

void frame_add(struct strbuf *sb, enum frame_kind kind, const void *data, size_t len)
{
	const char *from = data;

	do {
		size_t n = len < FRAME_MAX ? len : FRAME_MAX;
		uint8_t head[FRAME_HEAD] = { (uint8_t)kind, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
					     (uint8_t)n };

		strbuf_add(sb, head, sizeof(head));
		if (n)
			strbuf_add(sb, from, n);
		from += n;
		len -= n;
	} while (len);
}

void frame_drop(struct strbuf *sb, size_t len)
{
	if (!len)
		return;
	memmove(sb->data, sb->data + len, sb->len - len + 1);
	sb->len -= len;
}

/* What is whole; what is left of it stays. */
static int take_whole(struct frame_reader *reader, frame_fn fn, void *data)
{
	struct strbuf *part = &reader->part;
	size_t at = 0;
	int r = 0;

	while (r >= 0 && part->len - at >= FRAME_HEAD) {
		const uint8_t *head = (const uint8_t *)part->data + at;
		size_t len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
		char *end, kept;

		if (len > FRAME_MAX)
			return -EBADMSG;
		if (part->len - at - FRAME_HEAD < len)
			break;
		/* The buffer has a NUL behind its last byte. */
		end = part->data + at + FRAME_HEAD + len;
		kept = *end;
		*end = '\0';
		r = fn(data, (enum frame_kind)head[0], part->data + at + FRAME_HEAD, len);
		*end = kept;
		at += FRAME_HEAD + len;
	}
	frame_drop(part, at);
	return r < 0 ? r : 0;
}

int frame_read(struct frame_reader *reader, const char *bytes, size_t len, frame_fn fn, void *data)
{
	if (!len)
		return 0;
	strbuf_add(&reader->part, bytes, len);
	return strbuf_ok(&reader->part) ? take_whole(reader, fn, data) : -ENOMEM;
}

void frame_reader_deinit(struct frame_reader *reader)
{
	strbuf_deinit(&reader->part);
}
