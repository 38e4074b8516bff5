/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/core/event.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[] = {
	[EVENT_MACHINE] = "machine", [EVENT_SUBMIT] = "submit",	  [EVENT_PLACE] = "place",
	[EVENT_INFEASIBLE] = "wait", [EVENT_PREEMPT] = "preempt", [EVENT_END] = "end",
	[EVENT_RESIZE] = "resize",   [EVENT_RESUME] = "resume",	  [EVENT_CLAIM] = "claim",
	[EVENT_UNCLAIM] = "unclaim",
};

int event_format(const struct event *e, char text[static EVENT_TEXT_SIZE])
{
	uint32_t score;

	/* The bits of the score: no rounding of a printer is in between. */
	memcpy(&score, &e->score, sizeof(score));
	return snprintf(text, EVENT_TEXT_SIZE,
			"%" PRId64 " %s job %d task %d.%d machine %d other %d priority %u "
			"count %u examined %u detail %d score %08x\n",
			e->time_ms, names[e->kind], (int)e->job, (int)e->task, (int)e->index,
			(int)e->machine, (int)e->other, e->priority, e->count, e->examined,
			e->detail, score);
}
