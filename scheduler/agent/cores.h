/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole cores, where the operator has them given away (agent_options.whole_cores): what is
 * latency-sensitive and asks for a whole number of them has them to itself among its like, which
 * share the others. One is always left to share. Batch runs on all of them, with the time that
 * nobody else wants.
 */
#pragma once

#include "scheduler/agent/box.h"

/* The box is about to start: finds it cores of its own, where it is to have any. */
void cores_take(struct box *box);
/* It runs: what is shared may have changed meanwhile. */
void cores_started(struct box *box);
/* It runs no more. */
void cores_give(struct box *box);
/* Of one that ran before this agent; text as cores_text() made it, or NULL. */
void cores_adopt(struct box *box, const char *text);

/* "0-1,4" that the box is to run on; NULL: on all. Lives as long as the next call. */
const char *cores_text(const struct box *box);
