/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar/stream.h"

#include <errno.h>
#include <unistd.h>

static bool is_for_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

void stream_init(struct stream *s, int from, int to)
{
	s->from = from;
	s->to = to;
	s->ended = false;
	s->start = s->end = 0;
}

void stream_read(struct stream *s)
{
	ssize_t n = read(s->from, s->data, sizeof(s->data));

	/* A terminal whose last process is gone gives EIO. */
	if (n == 0 || (n < 0 && !is_for_later()))
		s->ended = true;
	s->start = 0;
	s->end = n > 0 ? (size_t)n : 0;
}

void stream_write(struct stream *s)
{
	ssize_t n = write(s->to, s->data + s->start, s->end - s->start);

	if (n > 0)
		s->start += (size_t)n;
	if (n >= 0 || is_for_later())
		return;
	s->ended = true;
	s->start = s->end = 0;
}
