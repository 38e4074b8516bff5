/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent shares with its boxes. */
#pragma once

#include "scheduler/agent/box.h"

struct pressure;

struct agent {
	struct loop *loop;
	struct engine *engine;
	struct agent_options options; /* strings are copies */
	const struct agent_link *link;
	struct box *boxes;
	struct alloc *allocs;	  /* see alloc.h */
	struct kept *kept;	  /* see kept.h */
	struct agent_call *calls; /* see socket.h */
	uint64_t call_numbers;	  /* the next one; 0: none yet */
	struct reach *reaches;	  /* see reach.h */
	struct loop_source *beat;
	unsigned asking; /* messages that are on their way */
	/* Of the last of them, CLOCK_BOOTTIME; while an answer is heeded, of the one it answers. */
	int64_t sent_ns;
	bool changed; /* since the last message */
	bool poked;
	/* What the machine has for tasks. */
	int64_t cpu_milli, memory_bytes, disk_bytes;
	struct pressure *pressure;
	uint64_t heard; /* number of what the master wants, as it was heeded last */
	uint64_t epoch; /* of the highest master that was heard */
};

/* Something about a box is worth telling. */
void agent_changed(struct agent *agent);
/* The box is removed and freed; others may have waited for its room. */
void agent_forget(struct agent *agent, struct box *box);
