/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar-image/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define BAR_WIDTH 30
#define REDRAW_NS 50000000

void progress_start(struct progress *p)
{
	const char *term = getenv("TERM");

	*p = (struct progress){ .enabled = isatty(STDERR_FILENO) &&
					   !(term && strcmp(term, "dumb") == 0) };
}

void progress_show(void *progress, uint64_t done_bytes, uint64_t total_bytes)
{
	struct progress *p = progress;
	int64_t now_ns = clock_monotonic_ns();
	char bar[BAR_WIDTH + 1];
	int filled;

	if (!p->enabled || total_bytes == 0)
		return;
	if (p->shown && done_bytes < total_bytes && now_ns - p->last_ns < REDRAW_NS)
		return;
	if (done_bytes > total_bytes)
		done_bytes = total_bytes;
	filled = (int)((double)done_bytes / (double)total_bytes * BAR_WIDTH);
	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '=', (size_t)filled);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %.1f of %.1f MB%s\x1b[K", bar, (double)done_bytes / 1e6,
		(double)total_bytes / 1e6, done_bytes == total_bytes ? ", unpacking" : "");
	fflush(stderr);
	p->shown = true;
	p->last_ns = now_ns;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", stderr);
	p->shown = false;
}
