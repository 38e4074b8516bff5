/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was put down on this machine: tasks that had to leave and whose memory lies in a checkpoint
 * (runtime/engine/checkpoint.h), as containers that have ended. Nothing of them runs. The master
 * hears of them with each report, and says which goes on, and which is needed no more; what it says
 * nothing of stays.
 */
#pragma once

#include "scheduler/agent/box.h"

struct kept;

/* The box's container has a checkpoint, and the box is about to be forgotten. False: no memory. */
bool kept_add(struct box *box);

/* The box is about to start: what was put down of its task is its own from now on, as box->from,
 * where it is to go on from that; else it is removed, and box->no_checkpoint says why it begins
 * anew, where it was to go on. */
void kept_claim(struct box *box);

/* Removes what the master needs no more. */
void kept_heed(struct agent *agent, const struct machine_wants *wants);

/* All of it, for the report; owned by the caller, with strings that live as long as the agent does
 * nothing else. NULL when out of memory. */
struct task_kept *kept_list(const struct agent *agent, size_t *ret_count);

/* They stay on the disk. */
void kept_free(struct agent *agent);
