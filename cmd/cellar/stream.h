/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a copy between two descriptors, with what was read and not yet written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct stream {
	int from, to;
	bool ended; /* nothing more comes from `from` */
	size_t start, end;
	char data[4096];
};

void stream_init(struct stream *s, int from, int to);

static inline bool stream_wants_read(const struct stream *s)
{
	return !s->ended && s->start == s->end;
}

static inline bool stream_wants_write(const struct stream *s)
{
	return s->start < s->end;
}

/* One read, one write; descriptors that would block are left for later. A reader that is gone ends
 * the stream. */
void stream_read(struct stream *s);
void stream_write(struct stream *s);
