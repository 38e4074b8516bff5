/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell tells of itself: every decision and every change of a task or machine, in order. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define NOBODY UINT32_MAX /* no task, no machine, no job */

enum event_kind {
	EVENT_MACHINE, /* machine changed to state `detail` */
	EVENT_SUBMIT,  /* job of `count` tasks at `priority` */
	/* Task onto machine: `examined` looked at, `score` of the best; `count`: ms of notice that
	 * tasks which have to go first are given. */
	EVENT_PLACE,
	EVENT_INFEASIBLE, /* task fits nowhere now: `examined` looked at */
	/* Task leaves machine for task `other`: `detail` is an enum on_preemption, `count` its
	 * notice in ms. */
	EVENT_PREEMPT,
	EVENT_END,    /* task left machine: `detail` is an enum task_end */
	EVENT_RESIZE, /* task's request changed; machine is where it lies now */
	EVENT_RESUME, /* task, which was paused, goes on */
	/* Machine is kept for task, which has waited too long, against others of its priority and
	 * below; and no longer. */
	EVENT_CLAIM,
	EVENT_UNCLAIM,
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
