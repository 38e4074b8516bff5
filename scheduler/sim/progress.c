/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 40

static int shown = -1; /* per mille */

void progress_show(size_t done, size_t all, int64_t now_ms)
{
	int now = all ? (int)(done * 1000 / all) : 1000, full = now * WIDTH / 1000;
	char bar[WIDTH + 1];

	if (now == shown)
		return;
	shown = now;
	memset(bar, ' ', WIDTH);
	memset(bar, '#', (size_t)full);
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3d.%d %%  %" PRId64 " s", bar, now / 10, now % 10, now_ms / 1000);
}

void progress_done(void)
{
	if (shown >= 0)
		fputs("\r\033[K", stderr);
	shown = -1;
}
