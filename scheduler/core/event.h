/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell tells of itself: every decision and every change of a task or machine, in order. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define NOBODY UINT32_MAX /* no task, no machine, no job */

enum event_kind {
	EVENT_MACHINE,	  /* machine changed to state `detail` */
	EVENT_SUBMIT,	  /* job of `count` tasks at `priority` */
	EVENT_PLACE,	  /* task onto machine: `examined` looked at, `score` of the best */
	EVENT_INFEASIBLE, /* task fits nowhere now: `examined` looked at */
	EVENT_PREEMPT,	  /* task leaves machine for task `other` */
	EVENT_END,	  /* task left machine: `detail` is an enum task_end */
	EVENT_RESIZE,	  /* task's request changed; machine is where it lies now */
};

struct event {
	int64_t time_ms;
	enum event_kind kind;
	uint32_t job, task, index, machine, other, count, examined;
	int detail;
	unsigned priority;
	float score;
};

/* One line of text, the same bytes for the same event on every machine. Returns its length. */
#define EVENT_TEXT_SIZE 200
int event_format(const struct event *event, char text[static EVENT_TEXT_SIZE]);
