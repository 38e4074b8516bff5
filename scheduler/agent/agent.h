/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent of a cell on one machine (Borg's Borglet): makes true what the master wants of the
 * machine, with containers under shims of their own, as `ctr run -d` makes them. They run on when
 * the agent is gone; the next one finds them by their labels.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "scheduler/agent/exchange.h"

struct loop;
struct agent;

/* How a message gets to the master. */
struct agent_link {
	void *data;
	/* Sends the text, and calls agent_reply() once, now or later: with the answer, or with NULL
	 * when there is none. */
	void (*send)(void *data, const char *text, size_t len, struct agent *agent);
	/* Messages that may be on their way at once: with more than one the link may keep one until
	 * there is news, and what comes up meanwhile goes with another. 0: one. */
	unsigned depth;
};

struct agent_answer {
	const char *text; /* the caller's; NULL: there is none */
	size_t len;
	int64_t sent_ns; /* agent_sent_ns() of the message that it answers */
	int64_t wait_ms; /* before the next message */
};

struct agent_options {
	const char *root, *runroot; /* of the engine, as for `ctr` */
	const char *cell;	    /* its name; containers of another cell are left alone */
	const char *machine, *rack; /* rack: or NULL */
	int64_t cpu_milli, memory_bytes, disk_bytes;	 /* 0: all that the machine has */
	int64_t reserve_cpu_milli, reserve_memory_bytes; /* of that, for what is no task */
	const char *epoch_path; /* keeps the epoch of the highest master that was heard; or NULL */
	bool whole_cores;	/* see cores.h */
	const char *cgroup;	/* around all tasks: "/cellar-m1", see slice.h; or NULL */
	const char *criu;	/* the program for checkpoints; NULL: the system's */
	const char *meminfo;	/* for tests: instead of /proc/meminfo; or NULL */
	/* Program of ours and its words, behind which comes a stream's name (reach.h); it outlives
	 * the agent. NULL: nobody gets into the tasks from elsewhere. */
	const char *const *reach_command;
};
#define AGENT_REACH_WORDS 16 /* at most */

/* Adopts what runs of an earlier agent, and begins to talk. The link outlives the agent. */
int agent_new(struct loop *loop, const struct agent_options *options, const struct agent_link *link,
	      struct agent **ret, struct err *err);
/* Its containers go on. */
struct agent *agent_free(struct agent *agent);

/* The master's answer; the text is the caller's. */
void agent_reply(struct agent *agent, const char *text, size_t len);
/* The same where several may be on their way: those that say something come by rising sent_ns. One
 * that a later message made needless has no text, and nothing to wait for. */
void agent_reply_to(struct agent *agent, const struct agent_answer *answer);
/* When the message was sent that is given to the link now. */
int64_t agent_sent_ns(const struct agent *agent);
/* The master has news: ask for them now, not at the next beat. */
void agent_poke(struct agent *agent);

CLEANUP_DEFINE(struct agent, agent, agent_free);
#define _cleanup_agent_ _cleanup_(cleanup_agent)
